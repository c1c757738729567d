# Every command of the workspace. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash

# The first Python that works and that PyAirbyte, which the demo uses, supports; else any Python 3.
IS_FIT := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))
PYTHON ?= $(or $(shell for python in python3 python3.12 python3.11; do \
	$$python -c '$(IS_FIT)' 2>/dev/null && echo $$python && break; done),python3)
BIN := .venv/bin
# What Python compiles is kept, whatever the machine's image says: the tests start hundreds of processes, of which each
# would compile the CDK anew, and each of their workers all tests.
export PYTHONDONTWRITEBYTECODE :=
# A connector is a folder source-*-calls; nothing else lists them.
CONNECTORS := $(wildcard source-*-calls examples/source-*-calls)
PACKAGES := shared $(CONNECTORS)
OURS := shared/calls_shared $(wildcard $(addsuffix /source_*_calls,$(CONNECTORS))) \
	conftest.py integration_tests benchmarks deploy release $(wildcard examples/*.py) examples/orchestrators
# Each has files of the same names, so each is a run of its own.
SANDBOXES := $(wildcard $(addsuffix /integration_tests/sandbox.py,$(CONNECTORS)))

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# The stamp is newer than what decides about the set-up; nothing is done if nothing changed.
.venv/installed: requirements.lock $(addsuffix /pyproject.toml,$(PACKAGES))
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -oE '^uv==[^ ]+' requirements.lock)"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(addprefix -e ./,$(PACKAGES))
	@touch $@

.PHONY: install
install: .venv/installed ## Set up .venv with the locked dependencies and all packages

# The environment has what the command line sets; so nothing in a path, such as a space or a quote, is read by the shell
.PHONY: demo
demo: .venv/installed ## Sync all four providers of the sandbox into one DuckDB file, and show a table
	@$(BIN)/python -m examples.demo $(if $(PROVIDER),--provider="$$PROVIDER") $(if $(CONFIG),--config="$$CONFIG")

# Secrets come from the environment: a command line can be read by every user of the machine
.PHONY: register
register: .venv/installed ## Register the connectors on an Airbyte platform (docs/deploy.md)
	$(if $(filter command,$(firstword $(origin CLIENT_SECRET))),$(error CLIENT_SECRET stands on the command line, \
		where others can read it; export it instead))
	@$(BIN)/python -m deploy

.PHONY: sandbox
sandbox: .venv/installed ## Run the sandbox that plays the four providers, on port 8900
	@$(BIN)/python -m integration_tests.sandbox --port 8900

# Most of the time goes to these: faults, kills, moving worlds, some of which wait for time-outs
RELIABILITY := $(addprefix integration_tests/test_,faults.py odd_answers.py odd_values.py earned_skips.py \
	kill_and_resume.py moving_worlds.py)
PYTEST := $(BIN)/python -m pytest -q -n 6 --dist worksteal

.PHONY: compiled
compiled: .venv/installed ## Compile the tests, once for all workers
	@$(BIN)/python -m pytest --collect-only -qq > /dev/null || true # what is wrong with one, its run tells

.PHONY: test
test: compiled ## Run all tests
	$(PYTEST)

.PHONY: quick
quick: .venv/installed ## Run the tests without those of faults, kills and moving worlds
	$(PYTEST) $(addprefix --ignore=,$(RELIABILITY))

.PHONY: reliability
reliability: .venv/installed ## Run the tests of faults, kills and moving worlds only
	$(PYTEST) $(RELIABILITY)

.PHONY: lint
lint: .venv/installed ## Check style, format, and the arrows between the wings of calls_shared
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

.PHONY: lint-manifests
lint-manifests: .venv/installed ## Check that every key of every manifest is understood
	$(BIN)/python -m integration_tests.lint_manifests

.PHONY: format
format: .venv/installed ## Bring the code into format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: types
types: .venv/installed ## Check types
	$(BIN)/mypy $(OURS)
	@for file in $(SANDBOXES); do $(BIN)/mypy $$(dirname $$file) || exit 1; done

.PHONY: check
check: .venv/installed ## All that CI checks
	$(MAKE) --no-print-directory --jobs=2 --output-sync types compiled lint lint-manifests
	$(PYTEST)

# The peers of the benchmark, apart from the workspace's lock; and the connectors as a user installs them, without
# the tools of this workspace (one of them brings boto3, which the CDK then loads at each start)
.venv-bench/installed: benchmarks/requirements.lock .venv/installed
	test -x .venv-bench/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-bench
	$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --require-hashes -r benchmarks/requirements.lock
	test -x .venv-bench/ours/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-bench/ours
	$(BIN)/uv pip install --quiet --python .venv-bench/ours/bin/python --constraint requirements.lock \
		airbyte-cdk pyyaml hatchling editables
	$(BIN)/uv pip install --quiet --python .venv-bench/ours/bin/python --no-deps --no-build-isolation \
		$(addprefix -e ./,$(PACKAGES))
	@touch $@

.PHONY: bench
bench: .venv/installed .venv-bench/installed ## Measure against dlt, a Singer tap and a bare loop (QUICK=1: small)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

.PHONY: bench-lock
bench-lock: .venv/installed ## Lock the benchmark's peers anew
	$(BIN)/uv pip compile benchmarks/requirements.in --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--quiet -o benchmarks/requirements.lock

.PHONY: dist
dist: .venv/installed ## Build wheels and source distributions into dist/
	@$(BIN)/python -m release.packages

# Make hands its variables on by the environment: on the shell's line a quote in one would end a word
.PHONY: images
images: dist ## Build the images: make images REPOSITORY=ghcr.io/you TAG=0.5.0 (CONNECTOR=… ENGINE=… BASE=… PLATFORM=…)
	@$(BIN)/python -m release.images

.PHONY: image-test
image-test: dist ## Build the images and prove them as the platform runs them (CONNECTOR=… ENGINE=… BASE=…)
	@$(BIN)/python -m integration_tests.image --connector '$(CONNECTOR)' --engine '$(ENGINE)' --base '$(BASE)'

# Airbyte's own checks, apart from the workspace's lock; a tool, no dependency
CHECKS := integration_tests/certification/requirements
.venv-certify/installed: $(CHECKS).lock .venv/installed
	test -x .venv-certify/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-certify
	$(BIN)/uv pip install --quiet --python .venv-certify/bin/python --require-hashes -r $(CHECKS).lock
	@touch $@

.PHONY: certify
certify: .venv/installed .venv-certify/installed ## Run Airbyte's checks of connectors on all of ours
	@$(BIN)/python -m integration_tests.certification

.PHONY: certify-lock
certify-lock: .venv/installed ## Lock Airbyte's checks anew
	$(BIN)/uv pip compile $(CHECKS).in --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--quiet -o $(CHECKS).lock

# Dagster and Airflow, each apart from the other and from the connectors, as on a user's machine
ORCHESTRATORS := $(patsubst examples/orchestrators/%.lock,%,$(wildcard examples/orchestrators/*.lock))
.venv-orchestrators/%/installed: examples/orchestrators/%.lock .venv/installed
	test -x $(@D)/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python $(@D)
	$(BIN)/uv pip install --quiet --python $(@D)/bin/python --require-hashes -r $<
	@touch $@

.PHONY: orchestrators
orchestrators: .venv/installed $(ORCHESTRATORS:%=.venv-orchestrators/%/installed) ## Run the definitions for Dagster and Airflow (docs/orchestrators.md)
	$(BIN)/python -m pytest -q integration_tests/test_orchestrators.py

.PHONY: orchestrators-lock
orchestrators-lock: .venv/installed ## Lock Dagster and Airflow anew
	for name in $(ORCHESTRATORS); do \
		$(BIN)/uv pip compile examples/orchestrators/$$name.in --universal --python-version 3.11 --upgrade \
			--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
			--quiet -o examples/orchestrators/$$name.lock || exit 1; \
	done

.PHONY: new-provider
new-provider: .venv/installed ## Lay out a connector's folder: make new-provider NAME=acme (IN=examples)
	@$(BIN)/python -m integration_tests.new_provider '$(NAME)' $(if $(TITLE),--title '$(TITLE)') \
		$(if $(IN),--into '$(IN)')

.PHONY: docs
docs: .venv/installed ## Write the tables of the documents anew, from code and tests
	$(BIN)/python -m integration_tests.readme_columns
	$(BIN)/python -m integration_tests.guide_tables
	$(BIN)/python -m integration_tests.reliability_table
	$(BIN)/python -m integration_tests.connector_documents

.PHONY: soak
soak: .venv/installed ## Long runs: a million calls, a thousand rate limits, huge records
	@$(BIN)/python -m integration_tests.soak

.PHONY: mutants
mutants: .venv/installed ## Break the code in named ways and show which test dies
	@$(BIN)/python -m integration_tests.mutants

.PHONY: version
version: .venv/installed ## Name another version everywhere: make version TO=0.3.0
	@$(BIN)/python -m integration_tests.versions $(TO)

.PHONY: snapshots
snapshots: .venv/installed ## Store spec, catalog and a state of this version
	@$(BIN)/python -m integration_tests.snapshots

.PHONY: lock
lock: .venv/installed ## Lock the dependencies anew
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --upgrade \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--quiet -o requirements.lock
	$(MAKE) runtime-lock

# What a connector needs at run time and nothing else, in the versions that the tests run with; the image is made of it.
.PHONY: runtime-lock
runtime-lock: .venv/installed ## Lock what a connector needs at run time, in the versions that are locked already
	$(BIN)/uv pip compile shared/pyproject.toml --constraint requirements.lock --universal --python-version 3.11 \
		--no-strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		--quiet -o runtime.lock

.PHONY: clean
clean: ## Remove what the other commands made
	rm -rf .venv .venv-bench .venv-certify .venv-orchestrators .bench .demo .image build dist .mypy_cache .ruff_cache .pytest_cache */build */.tmp examples/*/build examples/*/.tmp
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
