# The front door. `make` alone prints what there is; every target sets up what it needs, once.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Installs a lock file and shows how far it is; a line for each package would hide what matters.
install = $(BIN)/python -m pip install --require-hashes --disable-pip-version-check -r $(1) | awk \
  -v all="$$(grep -c '^[a-z0-9].*==' $(1))" '/^Collecting/ {printf "\rpackages: %d of at most %d", ++n, all; fflush()} END {print ""}'

# What the demo uses; `make demo CAMERA=rtsp://… PORT=9000 DATA_DIR=/var/lib/farwatch` overrides.
CAMERA ?=
PORT ?= 8000
DATA_DIR ?= .data

.PHONY: help setup demo test datumaro ray clients soak lint fmt bench lock clean

help: ## print this
	@echo "Farwatch: cameras watched at the edge, one hub that shows, stores and learns."
	@echo
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 16

setup: $(VENV)/demo.stamp ## install everything, build the default bundle, fetch browser files
	$(BIN)/python -m deploy.browser_files
	$(BIN)/python -m deploy.sample_video
	$(BIN)/python -m deploy.default_bundle

demo: setup ## hub, worker and agent on a real video; CAMERA=rtsp://… or a file or 0, PORT, DATA_DIR
	@exec $(BIN)/python -m deploy.demo --camera "$(CAMERA)" --port "$(PORT)" --data-dir "$(DATA_DIR)"

test: $(VENV)/dev.stamp setup ## run the tests, three at a time: most of them wait for something
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

clients: $(VENV)/dev.stamp ## have KServe's own SDK ask our inference tier (installed apart from us)
	$(PYTHON) -m venv .clients
	.clients/bin/pip install -q kserve==0.21.0
	FARWATCH_KSERVE_PYTHON=$(CURDIR)/.clients/bin/python $(BIN)/python -m pytest tests/clients

soak: $(VENV)/dev.stamp setup ## run the long counts whole (hours)
	FARWATCH_SOAK=1 $(BIN)/python -m pytest -m soak --timeout 14400

datumaro: $(VENV)/dev.stamp ## have Datumaro itself read what we export (installed apart from us)
	$(PYTHON) -m venv .datumaro
	.datumaro/bin/pip install -q datumaro==1.13.12
	FARWATCH_DATUMARO_PYTHON=$(CURDIR)/.datumaro/bin/python $(BIN)/python -m pytest tests/processing/exchange/test_datumaro.py

ray: $(VENV)/dev.stamp ## run the tier on Ray Serve, really (installed apart from us, 500 MB)
	$(PYTHON) -m venv .ray
	.ray/bin/pip install -q --require-hashes -r requirements/ray.txt
	FARWATCH_RAY_PYTHON=$(CURDIR)/.ray/bin/python $(BIN)/python -m pytest tests/processing/tier_front/test_on_ray.py

lint: $(VENV)/dev.stamp ## format, lint, types, import contracts, migrations, deploy check
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/djade --check $$(git ls-files 'templates/*.html')
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python manage.py makemigrations --check --dry-run
	FARWATCH_HTTPS=true FARWATCH_SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	  $(BIN)/python manage.py check --deploy --fail-level WARNING

fmt: $(VENV)/dev.stamp ## format and fix what can be fixed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/djade $$(git ls-files 'templates/*.html')

bench: $(VENV)/dev.stamp setup ## every benchmark, quickly
	@for name in $$($(BIN)/python -m benchmarks --list); do $(BIN)/python -m benchmarks $$name --quick; done

lock: $(VENV)/dev.stamp ## pin newest versions with hashes under requirements/ (needs uv)
	@for extra in dev demo worker hub edge ray tier; do \
	  constraint=""; [ $$extra = dev ] || constraint="-c requirements/dev.txt"; \
	  uv pip compile pyproject.toml --extra $$extra $$constraint --python-version 3.11 --universal --upgrade \
	    --generate-hashes --no-emit-index-url --no-annotate --no-header -q -o requirements/$$extra.txt; \
	done

clean: ## remove what set-up made here (not your data in .data)
	rm -rf $(VENV) .datumaro .ray .clients node_modules static/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: see the README's line of system packages"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# dev.txt holds all of demo.txt at the same versions, so one environment serves both.
$(VENV)/demo.stamp: requirements/demo.txt | $(BIN)/python
	@$(call install,$<)
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt | $(BIN)/python
	@$(call install,$<)
	@touch $@ $(VENV)/demo.stamp
