# The commands people and CI use. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo up check format test coverage test-engines bench lock proto clean

help: ## List the commands
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make the virtual environment from the locked requirements

$(STAMP): requirements/dev.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked requirements into $(VENV)"
	@$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## From a label to a pull request on this machine, with the practice forge
	@$(BIN)/stagewright demo

up: setup ## Start Stagewright on loopback with its embedded database
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
	@$(BIN)/pytest -n auto -m "not engines"

coverage: setup ## All tests with branch coverage; slower than test
	@$(BIN)/pytest -n auto -m "not engines" --cov --cov-report=term:skip-covered

test-engines: setup ## The pinned real agent CLIs against scripted model stubs (downloads about 800 MB)
	@$(BIN)/python -m tools.engines install
	@$(BIN)/pytest tests/contract/engines tests/integration/relay -m engines

bench: setup ## Print figures as ratios, side by side in one run
	@$(BIN)/python -m tests.bench

lock: ## Write requirements/*.txt anew from pyproject.toml
	@$(BIN)/python -m tools.lock

proto: setup ## Generate the runner protocol's stubs
	@$(BIN)/python -m tools.proto

clean: ## Remove what the other commands made in this folder
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
