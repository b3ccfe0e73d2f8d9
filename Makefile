# One target a tool; `make` alone lists them. .ci/run calls `check` and `test`.

PYTHON_IN_VENV := .venv/bin/python
MADE := .venv/.made
PREFECT_MADE := .venv-prefect/.made

.DEFAULT_GOAL := help
.PHONY: help setup demo test fuzz chaos soak check bench bench-prefect lint format types imports locked sizes \
  dockerfile yaml compose manifests units image image-test fix lock coverage clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1 \2/p' $(MAKEFILE_LIST) | while read -r name what; do printf '%-13s %s\n' "$$name" "$$what"; done

setup: $(MADE) ## make .venv/ with Pointsman and all tools in it

$(MADE): requirements/dev.lock pyproject.toml deploy/setup/environment.sh
	@sh deploy/setup/environment.sh
	@touch $@

demo: $(MADE) ## watch a small world being governed, on a broker of the demo's own
	@$(PYTHON_IN_VENV) -m deploy.demo

test: $(MADE) ## run all tests, in three processes, since much of it is waiting
	$(PYTHON_IN_VENV) -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

fuzz: $(MADE) ## send 100,000 mutated messages the way that a message goes; SEED=n repeats a run
	@$(PYTHON_IN_VENV) -m tests.fuzz --messages 100000 $(if $(SEED),--seed $(SEED))

chaos: $(MADE) ## seeded load and faults for SECONDS=600, of FAULTS=a,b,… or all; SEED=n repeats a run
	@$(PYTHON_IN_VENV) -m tests.chaos $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS))

soak: $(MADE) ## an hour of steady load with faults now and then, measured and drawn; also MINUTES= RATE= SEED= OUT=
	@$(PYTHON_IN_VENV) -m tests.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RATE),--rate $(RATE)) $(if $(SEED),--seed $(SEED)) $(if $(OUT),--out $(OUT))

check: lint format types imports locked sizes dockerfile yaml compose manifests units ## everything that needs no server

bench: $(MADE) ## measure what the rules cost, how many transitions a second are governed, also in long tables, and what a consumer takes
	@$(PYTHON_IN_VENV) -m benchmarks

bench-prefect: $(PREFECT_MADE) ## measure Prefect's orchestration engine and Pointsman beside each other; ROUNDS=3
	@$(PYTHON_IN_VENV) -m benchmarks.prefect $(if $(ROUNDS),--rounds $(ROUNDS))

$(PREFECT_MADE): requirements/prefect.lock deploy/setup/prefect.sh | $(MADE)
	@sh deploy/setup/prefect.sh
	@touch $@

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

dockerfile: $(MADE) ## hadolint, on the Dockerfile
	.venv/bin/hadolint deploy/Dockerfile

yaml: $(MADE) ## yamllint
	.venv/bin/yamllint --strict .

compose: $(MADE) ## whether the compose file follows the specification
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec deploy/compose.yaml

MANIFESTS = $(filter-out %/kustomization.yaml,$(wildcard deploy/kubernetes/*.yaml deploy/kubernetes/*/*.yaml))

manifests: $(MADE) ## kubernetes-validate, for the oldest Kubernetes that they are made for and a new one
	.venv/bin/kubernetes-validate --strict --quiet --kubernetes-version 1.31 $(MANIFESTS)
	.venv/bin/kubernetes-validate --strict --quiet --kubernetes-version 1.37 $(MANIFESTS)

units: $(MADE) ## systemd-analyze, where there is one, on the units
	$(PYTHON_IN_VENV) -m deploy.checks.units

image: ## build the image; BASE=… names another base, IMAGE=… another name than pointsman
	docker build --file deploy/Dockerfile --tag $(or $(IMAGE),pointsman) $(if $(BASE),--build-arg BASE=$(BASE)) .

image-test: $(MADE) ## run that image by the compose file, with a broker and a database: needs docker compose
	$(PYTHON_IN_VENV) -m pytest tests/deploy/trial/compose_trial.py

fix: $(MADE) ## mend what ruff can mend by itself
	$(PYTHON_IN_VENV) -m ruff check --fix .
	$(PYTHON_IN_VENV) -m ruff format .

lock: $(MADE) ## write the lock files anew; UPGRADE=1 takes the newest versions
	sh deploy/setup/lock.sh $(if $(UPGRADE),--upgrade)

coverage: $(MADE) ## run all tests and measure lines and branches, with pages in htmlcov/; slower
	$(PYTHON_IN_VENV) -m pytest --cov --cov-report=term --cov-report=html; \
	status=$$?; rm -f .coverage.*; exit $$status  # of processes that ended after the report was made

clean: ## remove both environments and what tools left behind
	rm -rf .venv .venv-prefect .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
