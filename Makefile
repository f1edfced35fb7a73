# Everything runs in a virtual environment that this file makes; all it needs is Python 3.11 or newer, make and git.
# `make VENV=/somewhere/else ...` keeps it elsewhere, `make PYTHON=python3.13 ...` makes it with another Python.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_VENV ?= .venv-bench
# For two processors. The long suites never wait; tests do now and then, those on a cluster most of their time. Of the latter
# a file's stay together: they share what takes long to set up.
WORKERS ?= 3
CLUSTER_WORKERS ?= 4
LONG_WORKERS ?= 2
ON_A_CLUSTER := -n $(CLUSTER_WORKERS) --dist loadfile --no-loadscope-reorder
PYTEST := $(BIN)/python -m pytest
KUBECTL := $(wildcard /usr/bin/kubectl)
WITHOUT_KUBECTL := --ignore-glob='*/test_kubectl_*.py'

PREPARE := { $(BIN)/python -m tests.cluster.build helm && $(BIN)/python -m tests.cluster.up --node --policies --kwok 1 --prepare; } >/dev/null
# A real node takes root; SLUICE_TEST_KUBECONFIG names a cluster that has nodes of its own.
WITHOUT_NODE := $(if $(SLUICE_TEST_KUBECONFIG),and not node,)

# Compiled files are kept, whatever the machine's custom is: the tests start Python some hundred times.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo test test-long test-full test-cluster test-faults check check-static format crds bench bench-cluster clean kubectl-or-say

help: ## What there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## The virtual environment, with Sluice and its tools

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Sluice needs Python 3.11 or newer: install it, or name one: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version); this happens once."
	@$(PYTHON) -m venv $(VENV) || { echo "$(PYTHON) can't make a virtual environment: on Debian and Ubuntu, apt-get install python3-venv" >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY) ## The main job, whole, in front of you: publish, roll out, run, stop, revert
	@$(BIN)/python examples/demo.py

test: $(READY) kubectl-or-say ## The tests; of the long suites a sample
	$(PYTEST) -n $(WORKERS) --dist worksteal $(if $(KUBECTL),,$(WITHOUT_KUBECTL))

test-long: $(READY) ## The long suites alone, whole, and the ledger on PostgreSQL: tests marked `full` or `postgres`
	$(PYTEST) -n $(LONG_WORKERS) --dist worksteal -m '(full or postgres) and not cluster'

test-full: $(READY) kubectl-or-say ## All tests, the long suites whole
	$(PYTEST) -n $(WORKERS) --dist worksteal -m 'not cluster' $(if $(KUBECTL),,$(WITHOUT_KUBECTL))

test-cluster: $(READY) ## On a real cluster, built once from source: API server, kubelet, pods (SLUICE_TEST_KUBECONFIG: on yours)
	@test -n "$(SLUICE_TEST_KUBECONFIG)" || $(PREPARE)
	$(PYTEST) $(ON_A_CLUSTER) -m 'cluster and not full $(WITHOUT_NODE)'

test-faults: $(READY) ## The long suites on a real cluster, whole: 200 seeds of faults, and those on real pods
	@$(PREPARE)
	$(PYTEST) -n $(LONG_WORKERS) --dist worksteal -m 'cluster and full'

# The real kubectl against the Kubernetes protocol: without one these tests are left out, and that is said.
kubectl-or-say:
	@$(if $(KUBECTL),:,echo "There is no /usr/bin/kubectl: tests/*/test_kubectl_*.py are LEFT OUT. Install kubectl 1.30 or newer there; .ci/run builds it with Go")

check: check-static test ## The gate: format, lint, types, layers, generated files, tests

check-static: $(READY) ## The gate without the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m sluice.crds --check
	$(BIN)/python -m sluice.manifests --check

format: $(READY) ## Format the code
	$(BIN)/ruff format .

crds: $(READY) ## Write the files that are generated from the models
	$(BIN)/python -m sluice.crds
	$(BIN)/python -m sluice.manifests

$(BENCH_VENV)/.ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Sluice needs Python 3.11 or newer: install it, or name one: make PYTHON=/path/to/python3 ..." >&2; exit 1; }
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

bench: $(BENCH_VENV)/.ready ## The three embedded workloads beside DBOS on SQLite, in a virtual environment of their own
	$(BENCH_VENV)/bin/python -m bench.embedded $(BENCH)

bench-cluster: $(READY) ## Sluice beside Argo Workflows on simulated nodes, in turn, as ratios
	$(BIN)/python -m bench.cluster $(BENCH)

clean: ## Remove what was made, but for data folders
	rm -rf $(VENV) $(BENCH_VENV) build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis controller/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
