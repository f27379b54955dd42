# Everything lives in .venv: Python packages, Java, Kafka's jars, PostgreSQL, promtool. Nothing is installed elsewhere.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
UV := $(BIN)/uv --no-cache --no-config
STAMP := $(VENV)/.installed
LOCKS := requirements.lock requirements-uv.lock
AS_LOCKED := --constraint requirements.lock
COMPILE := pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11
ARGS ?=

export VIRTUAL_ENV := $(CURDIR)/$(VENV)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help install test demo bench up down check lock schemas clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## Make .venv with all packages, Java, Kafka and PostgreSQL (PYTHON=python3.12 for another Python)

test: install check $(BIN)/promtool ## Check style and types, then run all tests (ARGS="-k name" for some of them)
	$(BIN)/pytest $(ARGS)

demo: install ## Run the demonstration (ARGS="--help" for its options)
	$(BIN)/senconet demo $(ARGS)

bench: install ## Measure speed and memory (ARGS="--json FILE --events N")
	$(BIN)/python -m bench $(ARGS)

up: install ## Start the whole system on this machine
	$(BIN)/senconet up $(ARGS)

down: install ## Stop it; its data stay in .senconet
	$(BIN)/senconet down $(ARGS)

check: install ## Check style (ruff) and types (mypy)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

lock: install ## Work out the locked packages and jars afresh, at their newest permitted versions
	echo "setuptools>=80" | $(UV) $(COMPILE) --upgrade --extra tool --group dev --output-file requirements.lock pyproject.toml -
	$(UV) $(COMPILE) $(AS_LOCKED) --output-file deploy/services.lock pyproject.toml
	$(UV) $(COMPILE) $(AS_LOCKED) --extra tool --output-file deploy/senconet.lock pyproject.toml
	echo "uv==$(UV_VERSION)" | $(UV) $(COMPILE) --output-file requirements-uv.lock -
	$(BIN)/python -m senconet.local.install --lock

schemas: install ## Write the JSON Schemas of the contract and docs/catalogue.md afresh
	$(BIN)/python -m senconet.contract_files
	$(BIN)/python -m senconet.catalogue_file

clean: ## Stop what runs, then remove its state, .venv and all caches
	if [ -x $(BIN)/senconet ]; then $(BIN)/senconet down; fi
	rm -rf .senconet $(VENV) *.egg-info build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/promtool: | $(STAMP)
	$(BIN)/python -m senconet.local.promtool

$(STAMP): pyproject.toml $(LOCKS) senconet/local/kafka_jars.sha256
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements-uv.lock
	$(UV) pip sync --compile-bytecode --require-hashes --only-binary :all: requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m senconet.local.install
	@touch $@
