PYTHON ?= python3
BIN := .venv/bin
LOCK := .tools/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header $(UPGRADE)
CHROMIUM := chromium chromium-browser google-chrome
FIND_CHROMIUM := for name in $(CHROMIUM); do command -v $$name >/dev/null && exit 0; done; \
	echo "Chromium is missing. On Debian and Ubuntu: apt-get install chromium" >&2; exit 1
FIND_NPM := command -v npm >/dev/null || { echo "Node 20 or newer is missing: install it with its npm." >&2; exit 1; }
FIND_PGBOUNCER := PATH="$$PATH:/usr/sbin" command -v pgbouncer >/dev/null || \
	{ echo "pgbouncer is missing. On Debian and Ubuntu: apt-get install pgbouncer" >&2; exit 1; }
PARALLEL := --numprocesses auto --dist worksteal
QUICK := not postgres and not lengthy and not sweep and not slow and not browser and not node and not cluster
NODE_MODULES := tests/node/node_modules/.package-lock.json

unexport PYTHONDONTWRITEBYTECODE  # each of many processes would compile everything anew

.DEFAULT_GOAL := help
.PHONY: help run migrate seed test test-quick test-all test-browser test-node test-cluster bench lint format lock clients sbom clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  test leaves these groups to test-all; ARGS=\"-m sweep\" runs one of them:"
	@sed -n '/^markers/,/^]/s/^    "\([a-z]*\): \(.*(make .*)\)",$$/    \1: \2/p' pyproject.toml
	@echo
	@echo "  PYTHON= names the Python (3.11 or newer); HOST=, PORT=, SEED_DIR= (another data set) and DATABASE_URL= configure run;"
	@echo "  ARGS= goes to pytest."

run: install-run ## Install, migrate, seed, and serve on http://127.0.0.1:8000
	@exec $(BIN)/ldn-evidence serve --migrate --seed

migrate: install-run ## Bring the database up to the newest schema
	@$(BIN)/ldn-evidence migrate

seed: migrate ## Apply the records of the seed files (seed_data/) that nobody has edited since
	@$(BIN)/ldn-evidence seed

test: install-dev ## Run the tests and static checks on all CPUs, on SQLite and on a PostgreSQL that the tests start
	@$(BIN)/pytest $(PARALLEL) $(ARGS)

test-quick: install-dev ## Run what a change is likely to break, in a minute: SQLite alone, no contract, no content, no static checks
	@$(BIN)/pytest $(PARALLEL) -m "$(QUICK)" $(ARGS)

test-all: install-browser ## Run everything: also what `test` leaves out, and what needs Chromium, Node or pgbouncer
	@$(BIN)/pytest $(PARALLEL) -m "not browser and not node and not cluster" --hypothesis-profile thorough $(ARGS)
	@if ($(FIND_CHROMIUM)); then $(MAKE) --no-print-directory test-browser; else echo "Left out: test-browser"; fi
	@if ($(FIND_NPM)); then $(MAKE) --no-print-directory test-node; else echo "Left out: test-node"; fi
	@if ($(FIND_PGBOUNCER)); then $(MAKE) --no-print-directory test-cluster; else echo "Left out: test-cluster"; fi

test-browser: install-browser ## Run the tests that need Chromium
	@$(FIND_CHROMIUM)
	@$(BIN)/pytest -m browser tests/browser tests/content/browser $(ARGS)

test-node: install-dev $(NODE_MODULES) ## Run the tests that need Node
	@$(BIN)/pytest -m node $(ARGS)

test-cluster: install-dev ## Run the tests that need pgbouncer: a primary, a standby, a failover
	@$(FIND_PGBOUNCER)
	@$(BIN)/pytest -m cluster tests/cluster $(ARGS)

bench: install-dev ## Measure against the server's limit and other software (ARGS="--size S --rounds 5")
	@$(BIN)/python -m benchmarks.run $(ARGS)

lint: install-dev ## Run the static checks alone
	@$(BIN)/pytest tests/test_quality.py -m ""

format: install-dev ## Put the code into its canonical form
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet

lock: install-dev ## Pin the requirements again after a change of pyproject.toml (UPGRADE=--upgrade for newer ones)
	@echo "uv" | $(LOCK) - -o requirements/uv.txt
	@$(LOCK) pyproject.toml --group dev --group browser -o requirements/browser.txt
	@$(LOCK) pyproject.toml --group dev -c requirements/browser.txt -o requirements/dev.txt
	@$(LOCK) pyproject.toml -c requirements/browser.txt -o requirements/run.txt
	@$(LOCK) --group build -c requirements/browser.txt -o requirements/build.txt

clients: install-dev ## Generate the Python and TypeScript clients from openapi.json and pack them into clients/dist
	@$(BIN)/python scripts/clients.py

sbom: install-dev ## Write the software bill of materials (CycloneDX) of what the service runs on: sbom.cdx.json
	@$(BIN)/python scripts/dependencies.py

clean: ## Remove what was installed or cached (the database in var/ stays)
	@rm -rf .cache .venv .tools .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache tests/node/node_modules examples/web/node_modules examples/web/dist sbom.cdx.json
	@find app migrations scripts tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(NODE_MODULES): tests/node/package-lock.json
	@$(FIND_NPM)
	@npm ci --prefix tests/node --loglevel error
	@touch $@

install-%:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not installed: Python 3.11 or newer is needed." >&2; exit 1; }
	@$(PYTHON) scripts/install.py $*
