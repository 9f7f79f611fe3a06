# `make run` and `make test` are all a newcomer needs; `make help` lists the rest.
SHELL := /bin/bash
BIN := .venv/bin
JOBS ?= 2
export PYTHON

# The stamps carry this folder's name: a copied or moved .venv points elsewhere and is made up to date.
HERE := $(shell pwd | cksum | cut -d' ' -f1)
STAMP := .venv/.setup-$(HERE)
BENCH_STAMP := .venv/.bench-$(HERE)
GATED := src/retinue/domain/*,src/retinue/store/*,src/retinue/turn/*

.DEFAULT_GOAL := help
.PHONY: help setup run dev test check fix bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Make .venv and install everything (skipped while pyproject.toml is unchanged)

$(STAMP): pyproject.toml tools/setup.sh
	@tools/setup.sh dev
	@touch $@

run: setup ## Install, start and serve on 127.0.0.1:8000 (Ctrl-C stops all of it)
	@exec $(BIN)/retinue serve

dev: setup ## Serve and restart when the code changes
	@exec $(BIN)/retinue serve --reload

test: setup check ## Check, then run the whole test suite with coverage
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=
	$(BIN)/coverage report --include='$(GATED)' --fail-under=95

check: setup ## Formatting, lint, types, import contracts, house rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/pyright --project tests
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/contracts tests/test_requirements.py

fix: setup ## Format and repair what can be repaired by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup $(BENCH_STAMP) ## Measure every claim beside its peers and write docs/benchmarks.md
	$(BIN)/python -m bench all

$(BENCH_STAMP): $(STAMP)
	@tools/setup.sh dev,bench
	@touch $@

clean: ## Remove the virtual environment and all caches (your data in RETINUE_HOME stays)
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage* dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
