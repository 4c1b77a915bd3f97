# The two that matter: `make run` rehearses the whole job, `make test` passes the tests. Needs make and Python 3.11+ only.
# Settings: PYTHON=python3.12 (which Python makes .venv), ARGS="..." (handed on to the command).

PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
UV_VERSION := 0.13.9
CODE = $(wildcard app.py scheduler.py bot cards reclaim storage rehearsal tests benchmarks)

.DEFAULT_GOAL := help
.PHONY: help run test bench oracle images cards format install dev lock clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: install ## rehearse the whole job on made-up data (ARGS=--auto plays it without a person)
	@$(BIN)/reclaim rehearse $(ARGS)

test: dev ## check format, lint, types and imports, then run every test (ARGS goes to pytest)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile $(ARGS)

bench: install ## measure, print a line per measure, write build/bench.json
	@$(BIN)/python -m benchmarks $(ARGS)

oracle: dev ## judge every seat of a practice tenant of 100,000 people by its label; long (ARGS="--people 20000")
	@$(BIN)/python -m tests.oracle $(ARGS)

images: dev ## take the pictures of README anew, in headless Chromium
	@$(BIN)/python -m tests.pictures

cards: dev ## draw every card with Microsoft's own renderer into build/cards (needs npm and Chromium)
	@$(BIN)/python -m tests.teams.drawing $(ARGS)

format: dev ## let ruff format the code and mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

install: $(VENV)/.run ## put the product and its libraries into .venv
	@:

dev: $(VENV)/.dev ## the same, and the tools for the tests
	@:

lock: $(VENV)/.uv ## remake the two lock files from pyproject.toml (ARGS=--upgrade takes newer versions)
	$(BIN)/uv pip compile pyproject.toml --group build --output-file requirements.lock $(LOCK_OPTIONS) $(ARGS)
	$(BIN)/uv pip compile pyproject.toml --group dev --constraint requirements.lock \
	  --output-file requirements-dev.lock $(LOCK_OPTIONS) $(ARGS)

LOCK_OPTIONS = --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url \
  --custom-compile-command "make lock"

clean: ## remove .venv, build/ and the caches
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Empty files in .venv remember what is installed, so that nothing is installed twice.
$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "There is no '$(PYTHON)' here. Reclaim needs Python 3.11 or newer; name yours with: make $(MAKECMDGOALS) PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Reclaim needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Name another with: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements.lock pyproject.toml
	@echo "Installing the libraries into $(VENV) (once; about a minute) ..."
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.made requirements-dev.lock pyproject.toml
	@echo "Installing the libraries and the test tools into $(VENV) (once; about a minute) ..."
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.run $@

$(VENV)/.uv: $(VENV)/.made Makefile
	@$(PIP) install uv==$(UV_VERSION)
	@touch $@
