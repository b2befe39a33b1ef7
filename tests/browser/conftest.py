from importlib.util import find_spec

# Collecting a module imports it, even where its marker is left out: `make test` does without Playwright.
collect_ignore = [] if find_spec("playwright") else ["test_readers.py"]
