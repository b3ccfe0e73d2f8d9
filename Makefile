# One target a tool; `make` alone lists them. .ci/run calls `check` and `test`.

PYTHON_IN_VENV := .venv/bin/python
MADE := .venv/.made

.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench lint format types imports locked sizes fix lock coverage clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1 \2/p' $(MAKEFILE_LIST) | while read -r name what; do printf '%-10s %s\n' "$$name" "$$what"; done

setup: $(MADE) ## make .venv/ with Pointsman and all tools in it

$(MADE): requirements/dev.lock pyproject.toml deploy/setup/environment.sh
	@sh deploy/setup/environment.sh
	@touch $@

demo: $(MADE) ## watch a small world being governed, on a broker of the demo's own
	@$(PYTHON_IN_VENV) -m deploy.demo

test: $(MADE) ## run all tests
	$(PYTHON_IN_VENV) -m pytest

check: lint format types imports locked sizes ## everything that needs no server

bench: $(MADE) ## measure what the rules cost, and how many transitions a second are governed
	@$(PYTHON_IN_VENV) -m benchmarks

lint: $(MADE) ## ruff's rules
	$(PYTHON_IN_VENV) -m ruff check .

format: $(MADE) ## whether ruff would format anything
	$(PYTHON_IN_VENV) -m ruff format --check .

types: $(MADE) ## mypy, strict, on sources and tests
	$(PYTHON_IN_VENV) -m mypy

imports: $(MADE) ## import-linter: who may import whom
	.venv/bin/lint-imports

locked: $(MADE) ## whether the lock files fit pyproject.toml
	$(PYTHON_IN_VENV) -m deploy.checks.lock

sizes: $(MADE) ## whether files and functions are short enough
	$(PYTHON_IN_VENV) -m deploy.checks.size

fix: $(MADE) ## mend what ruff can mend by itself
	$(PYTHON_IN_VENV) -m ruff check --fix .
	$(PYTHON_IN_VENV) -m ruff format .

lock: $(MADE) ## write the lock files anew; UPGRADE=1 takes the newest versions
	sh deploy/setup/lock.sh $(if $(UPGRADE),--upgrade)

coverage: $(MADE) ## run all tests and measure lines and branches, with pages in htmlcov/; slower
	$(PYTHON_IN_VENV) -m pytest --cov --cov-report=term --cov-report=html

clean: ## remove .venv/ and what tools left behind
	rm -rf .venv .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
