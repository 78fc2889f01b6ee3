# The commands people and CI use. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
NODE_STAMP := console/node_modules/.installed
DIST := console/dist/index.html
NPM := $(BIN)/python -m tools.npm
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# some containers forbid it; every process of the program would compile hundreds of modules at its start
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup console console-check console-dev console-bench demo up check format test coverage test-engines bench lock proto clean

help: ## List the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make the virtual environment from the locked requirements

$(STAMP): requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked requirements into $(VENV)"
	@$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE_STAMP): console/package-lock.json console/.npmrc | $(STAMP)
	@echo "installing the console's locked packages"
	@nice $(NPM) ci --silent
	@touch $@

$(DIST): $(NODE_STAMP) $(shell find console/src console/public -type f 2>/dev/null) console/index.html console/vite.config.ts
	@nice $(NPM) run --silent build

console: $(DIST) ## Build the console, packed for the gateway and the wheel

console-check: $(DIST) ## The console: lint, layers, types, unit tests, API types, bytes
	@nice $(NPM) run --silent lint
	@nice $(NPM) run --silent types
	@nice $(NPM) run --silent drift
	@nice $(NPM) run --silent test
	@nice $(NPM) run --silent closure

console-dev: $(NODE_STAMP) ## Serve the console while it is changed; CONSOLE_GATEWAY and CONSOLE_TOKEN name the server
	@$(NPM) run --silent dev

console-bench: $(DIST) ## The console's figures beside their budgets, run alone; ONLY="cpu log" for some, ONLY=--help
	@$(BIN)/python -m tests.bench.console $(ONLY)

demo: setup $(DIST) ## From a label to a pull request on this machine, with the practice forge
	@$(BIN)/stagewright demo

up: setup $(DIST) ## Start Stagewright on loopback with its embedded database
	@$(BIN)/stagewright up

check: setup ## Format, lint, types, import contracts, generated files, unit tests: under a minute
	@$(BIN)/ruff format --check src tests tools
	@$(BIN)/ruff check src tests tools
	@$(BIN)/mypy
	@PYTHONPATH=src:. $(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tools.check_generated
	@$(BIN)/pytest -q -n auto tests/unit

format: setup ## Format and mend what ruff can mend
	@$(BIN)/ruff format src tests tools
	@$(BIN)/ruff check --fix src tests tools

test: setup ## Everything CI runs: check, then all tests, on several cores
	@$(BIN)/ruff check src tests tools
	@$(BIN)/mypy
	@PYTHONPATH=src:. $(BIN)/lint-imports --no-cache
	@$(BIN)/python -m tools.check_generated
	@$(MAKE) --no-print-directory console-check
	@$(BIN)/python -m tools.chromium
	@$(BIN)/pytest -n auto -m "not engines"

coverage: setup ## All tests with branch coverage; slower than test
	@$(BIN)/pytest -n auto -m "not engines" --cov --cov-report=term:skip-covered

test-engines: setup ## The pinned real agent CLIs against scripted model stubs (downloads about 800 MB)
	@$(BIN)/python -m tools.engines install
	@$(BIN)/pytest tests/contract/engines tests/integration/relay -m engines

bench: setup ## Print figures as ratios, side by side in one run; BENCH_EVENTS=1000000 for a storm of 10^6
	@$(BIN)/python -m tests.bench

lock: ## Write requirements/*.txt anew from pyproject.toml
	@$(BIN)/python -m tools.lock

proto: setup ## Generate the runner protocol's stubs
	@$(BIN)/python -m tools.proto

clean: ## Remove what the other commands made in this folder
	rm -rf $(VENV) console/node_modules console/dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
