# One place for everything a person or CI runs. Each target works on a fresh clone.

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
BIN := .venv/bin
# A fresh clone finds there what another one has checked: 50 s less. mypy goes by contents.
export MYPY_CACHE_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/helmwake/mypy

.PHONY: demo test lint tools live chaos bench crds readme clean

demo: .venv/.run ## Show recorded deliveries as waterfalls: no cluster, no network service
	@$(BIN)/helmwake replay examples/delivery.jsonl

test: lint tools ## Run every test, on a real control plane; all that CI runs
	$(BIN)/python -m pytest --durations=15

lint: .venv/.dev ## Formatting, lint, types, and what may import what
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

tools: .venv/.dev ## Build what is missing of the control plane (20 minutes once per machine)
	$(BIN)/python -m tests.controlplane.build

live: tools ## Start a cluster with the operator on it, and run one delivery
	$(BIN)/python -m tests.live

chaos: tools ## Kill the operator and its collector while Helm works; ROUNDS=3 does it three times
	$(BIN)/python -m tests.chaos --rounds $(or $(ROUNDS),1) $(if $(SEED),--seed $(SEED))

bench: tools ## Measure against a kopf handler and a bare list
	$(BIN)/python -m tests.bench

crds: .venv/.dev ## Make crds/ anew from the models of the settings and the ledger
	$(BIN)/python -m helmwake.settings.crd > crds/releaseobservers.yaml.new
	mv crds/releaseobservers.yaml.new crds/releaseobservers.yaml
	$(BIN)/python -m helmwake.ledger.crd > crds/releasetraces.yaml.new
	mv crds/releasetraces.yaml.new crds/releasetraces.yaml

readme: .venv/.dev ## Make the README's table of attributes anew
	$(BIN)/python -m tests.readme.attributes

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.run: .venv/.python requirements/run.txt requirements/build.txt pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-compile --require-hashes -r requirements/run.txt -r requirements/build.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@

clean: ## Remove what was installed here; the tools' cache stays
	rm -rf .venv .ruff_cache .pytest_cache .hypothesis .import_linter_cache
