# `make run` and `make test` are all a newcomer needs; `make help` lists the rest.
SHELL := /bin/bash
BIN := .venv/bin
JOBS ?= 2
export PYTHON

# The stamps carry this folder's name: a copied or moved .venv points elsewhere and is made up to date.
HERE := $(shell pwd | cksum | cut -d' ' -f1)
STAMP := .venv/.setup-$(HERE)
BENCH_STAMP := .venv/.bench-$(HERE)
WEB_STAMP := web/node_modules/.setup-$(HERE)
WEB_BUILT := src/retinue/web/index.html
WEB_SOURCES := $(shell find web -name node_modules -prune -o -type f ! -name '*.test.*' -print)
GATED := src/retinue/domain/*,src/retinue/store/*,src/retinue/turn/*

.DEFAULT_GOAL := help
.PHONY: help setup installed run dev test check fix bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: installed $(WEB_BUILT) ## Install everything and build the web app (skipped while nothing has changed)

installed: $(STAMP) $(WEB_STAMP)

$(STAMP): pyproject.toml tools/setup.sh
	@tools/setup.sh dev
	@touch $@

$(WEB_STAMP): web/package-lock.json web/package.json | $(STAMP)
	@echo "Installing the web app's tools"
	@tools/npm.sh ci --loglevel=error
	@touch $@

$(WEB_BUILT): $(WEB_STAMP) $(WEB_SOURCES)
	@echo "Building the web app"
	@tools/npm.sh run --silent build -- --logLevel warn
	@touch $@

run: setup ## Install, start and serve on 127.0.0.1:8000 (Ctrl-C stops all of it)
	@exec $(BIN)/retinue serve

dev: installed ## Serve, restart when the code changes, reload the page on 127.0.0.1:5173
	@exec tools/dev.sh

test: setup check ## Check, then run the whole test suite with coverage
	$(BIN)/python -m pytest -n $(JOBS) --cov --cov-report=
	$(BIN)/coverage report --include='$(GATED)' --fail-under=95

check: installed ## Formatting, lint, types, import contracts, house rules; the web app's, too
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/pyright --project tests
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/contracts tests/test_requirements.py
	tools/npm.sh run --silent types
	tools/npm.sh run --silent lint
	tools/npm.sh run --silent test

fix: installed ## Format and repair what can be repaired by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup $(BENCH_STAMP) ## Measure every claim beside its peers and write docs/benchmarks.md
	$(BIN)/python -m bench all

$(BENCH_STAMP): $(STAMP)
	@tools/setup.sh dev,bench
	@touch $@

clean: ## Remove what was installed and built, and all caches (your data in RETINUE_HOME stays)
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage* dist
	rm -rf web/node_modules src/retinue/web
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
