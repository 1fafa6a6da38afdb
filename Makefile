# `make` lists the targets. Needed on the machine: Python 3.11 or newer (with venv and pip, as python.org and most systems
# ship it), make and a C library. Everything else is installed into .venv from hash-locked files.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet --quiet --no-input
# uv installs, from the same locks; INSTALLER=pip does without it.
INSTALLER ?= uv
TEST_WORKERS ?= 3
TESTS ?= tests

# What the caller has configured for a Headrace, Prefect or PostgreSQL of their own must not reach the demo or the tests.
FOREIGN := $(filter HEADRACE_% PREFECT_% PG% NUMBA_% %_GLOBAL_RPA_DB_URL,$(.VARIABLES))
unexport $(FOREIGN) ENVIRONMENT PYTHONPATH PYTHONHOME PYTHONOPTIMIZE PYTHONDONTWRITEBYTECODE \
	PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_HASHES
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false

# The state of the demo stays below the checkout; its Prefect keeps its database there too. A first start of Prefect's
# server makes that database, which on a busy machine takes longer than the 20 s it is given by default.
DEMO_STATE := $(CURDIR)/.headrace/demo
DEMO_ENV := HEADRACE_STATE_DIR="$(DEMO_STATE)" PREFECT_HOME="$(DEMO_STATE)/prefect" \
	PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS=180

.PHONY: docs help setup setup-dev demo demo-ready test test-long test-browser test-image test-pgbouncer lint format lock ui bench clean chaos wheel

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/.kernels $(VENV)/.more-kernels ## Create .venv, install the locked packages, compile the kernels

setup-dev: $(VENV)/.dev $(VENV)/.kernels $(VENV)/.more-kernels ## The same with the tools that tests and checks need

demo: $(VENV)/.package ## Resolve 100,000 generated persons, from nothing to a summary
	@mkdir -p "$(DEMO_STATE)"
	@$(MAKE) --no-print-directory demo-ready & \
		$(MAKE) --no-print-directory $(VENV)/.kernels; status=$$?; wait; exit $$status
	@$(DEMO_ENV) $(PYTHON) -m flows.demo

# Compiling leaves half a core idle: meanwhile the databases of Prefect and of the demo are made, and Python's own compiled
# files by an import. Where this fails the demo does it, and says what was wrong.
demo-ready: $(VENV)/.package
	@[ -e "$(DEMO_STATE)/prefect/prefect.db" ] || { \
		$(PYTHON) -c "import flows.demo, prefect.server.api.server"; \
		$(DEMO_ENV) $(VENV)/bin/prefect server database upgrade -y; \
		$(DEMO_ENV) $(VENV)/bin/headrace db migrate; } > /dev/null 2>&1 || true

# The stories of the pages in a browser are part of the suite where Debian's chromium is installed.
BROWSER := $(VENV)/browser
CHROMIUM := $(shell command -v chromium)
STORIES := $(if $(filter tests,$(TESTS)),tests/browser/workbench)

test: setup-dev $(if $(and $(CHROMIUM),$(STORIES)),$(BROWSER)/.installed) ## Run the whole suite with its own PostgreSQL and Redis (TESTS=path narrows it)
	@PYTHONPATH=$(BROWSER) $(PYTHON) -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS) $(if $(CHROMIUM),$(STORIES))
	@[ -n "$(CHROMIUM)" ] || [ -z "$(STORIES)" ] || echo "test: $(STORIES) did not run: it wants apt-get install chromium"

test-long: setup-dev ## The same with all that is repetition: further seeds and examples, more records; hours, not minutes
	@$(PYTHON) -m pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder --hypothesis-profile=long $(TESTS)

test-pgbouncer: setup-dev ## Test everything behind Debian's pgbouncer in transaction mode
	@command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || \
		{ echo "test-pgbouncer: pgbouncer is missing: apt-get install pgbouncer" >&2; exit 1; }
	@$(PYTHON) -m pytest tests/pgbouncer

test-image: setup-dev ## Carry out the Dockerfile in a private root and use it; demo, lint and test on Debians with Python 3.13 and 3.14
	@[ "$$(id -u)" = 0 ] || { echo "test-image: mounts and chroot need root: sudo make test-image" >&2; exit 1; }
	@command -v debootstrap >/dev/null || { echo "test-image: debootstrap is missing: apt-get install debootstrap" >&2; exit 1; }
	@$(PYTHON) -m pytest -n 0 tests/image

# Driven by a library that nothing else here wants: it has a folder and a lock of its own.
$(BROWSER)/.installed: tests/browser/requirements.lock | setup-dev
	@rm -rf $(BROWSER); \
		$(call timed,installing playwright from tests/browser/requirements.lock,\
		$(PIP) install --no-deps --require-hashes --target $(BROWSER) -r tests/browser/requirements.lock) \
		&& touch $@

test-browser: setup-dev $(BROWSER)/.installed ## Work in the pages, and press Run in the Prefect UI of `headrace up`, in Debian's Chromium
	@[ -n "$(CHROMIUM)" ] || { echo "test-browser: chromium is missing: apt-get install chromium" >&2; exit 1; }
	@PYTHONPATH=$(BROWSER) $(PYTHON) -m pytest -n 0 tests/browser tests/browser/workbench

# The tool that makes the site is needed for nothing else, and has a lock of its own.
SITE := $(VENV)/site

docs: $(VENV)/.package ## Build the docs as a site in build/docs, with the reference of commands and Python
	@[ docs/site/requirements.lock -ot $(SITE)/.installed ] || { rm -rf $(SITE); \
		$(call timed,installing sphinx from docs/site/requirements.lock,\
		$(PIP) install --no-deps --require-hashes --target $(SITE) -r docs/site/requirements.lock) \
		&& touch $(SITE)/.installed; }
	@$(PYTHON) docs/site/stage.py build/docs-pages
	@PYTHONPATH=$(SITE) $(PYTHON) -m sphinx -q -W --keep-going -c docs/site -d build/docs-trees build/docs-pages build/docs
	@echo "docs: build/docs/index.html"

lint: setup-dev ## Check style, types and the direction of imports
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(VENV)/bin/lint-imports --no-cache

format: setup-dev ## Put the code into shape
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

wheel: setup ## Build a wheel with compiled kernels into dist: for this Python, for processors of x86-64-v3 or better
	@rm -rf dist && WHEEL_KERNELS=1 $(PYTHON) -m hatchling build --target wheel

ui: setup ## Show the demo's runs in the Prefect UI until interrupted
	@mkdir -p "$(DEMO_STATE)/prefect"
	@echo "ui: http://127.0.0.1:4200 (Ctrl-C ends it)"
	@$(DEMO_ENV) $(PYTHON) -m prefect server start --host 127.0.0.1 --port 4200

MINUTES ?= 30

chaos: setup-dev ## Kill, stop, cut and starve workers and server for MINUTES=30, with a SEED, and count what is left
	@$(PYTHON) -m tests.chaos.long --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(JSON),--json $(JSON))

bench: setup ## Measure the queue on this machine
	@mkdir -p "$(DEMO_STATE)"
	@$(DEMO_ENV) $(VENV)/bin/headrace bench queue

# The locks hold names, versions and hashes; no index and no path. The run lock is a subset of the dev lock.
LOCK_FORMAT := --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header
LOCK := $(PYTHON) -m uv pip compile pyproject.toml $(LOCK_FORMAT) --group build --extra local --extra k8s --extra s3

lock: setup-dev ## Resolve pyproject.toml again into the lock files (UPGRADE=1: newest versions)
	@$(LOCK) $(if $(UPGRADE),--upgrade) --extra dev --extra bench --extra peers --output-file requirements-dev.lock
	@$(LOCK) $(if $(UPGRADE),--upgrade) --constraint requirements-dev.lock --output-file requirements.lock
	@echo uv | $(PYTHON) -m uv pip compile - $(LOCK_FORMAT) --constraint requirements-dev.lock --output-file requirements-uv.lock
	@echo "lock: $$(grep -c == requirements.lock) packages to run, $$(grep -c == requirements-dev.lock) to develop"

clean: ## Remove .venv, the demo's state and every cache
	@if [ -x $(VENV)/bin/headrace ] && [ -d "$(DEMO_STATE)" ]; then $(DEMO_ENV) $(VENV)/bin/headrace db down >/dev/null 2>&1 || true; fi
	@rm -rf $(VENV) .headrace build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find headrace core flows blocks tests -type d -name __pycache__ -prune -exec rm -rf {} +

# --- Installation -----------------------------------------------------------------------------------------------------
# A stamp stands for each finished step. .installing exists only while a step runs: found at the start, the last run was
# cut short and .venv is made afresh; so it is when its Python no longer starts or the checkout has moved.

SOUND := $(shell [ ! -e $(VENV)/.installing ] && [ "$$(cat $(VENV)/.made 2>/dev/null)" = "$$(pwd -P)" ] \
	&& $(PYTHON) -c "import pip" 2>/dev/null && echo yes)
ifneq ($(SOUND),yes)
.PHONY: $(VENV)/.made
endif

CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

$(VENV)/.made:
	@set -eu; rm -rf $(VENV); python=; \
	for candidate in $(CANDIDATES); do \
		if $$candidate -c "$(FITS)" >/dev/null 2>&1; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "setup: no usable Python: install Python 3.11 or newer with its venv module (tried: $(CANDIDATES))" >&2; exit 1; \
	fi; \
	echo "setup: creating $(VENV) with $$($$python --version)"; \
	mkdir $(VENV); touch $(VENV)/.installing; \
	$$python -m venv $(VENV); \
	pwd -P > $@; rm $(VENV)/.installing

# Run a command between two lines: what happens, how long it took. $(1): what happens; $(2): the command.
timed = started=$$(date +%s); echo "setup: $(1)"; $(2) && echo "setup: done in $$(($$(date +%s) - started)) s"

# The same for a command that changes .venv.
install = touch $(VENV)/.installing; $(call timed,$(1),$(2)) && rm $(VENV)/.installing && touch $@

# pip's configuration is the one that a machine has; uv does not read it, so it is told what pip knows and it does not.
PIP_SAYS = known=$$($(PYTHON) -m pip --disable-pip-version-check config list 2>/dev/null); \
	pip_says() { printf '%s\n' "$$known" | sed -n "s/^\(:env:\|install\|global\)\.$$1=[\"']\(.*\)[\"']$$/\2/p" | head -n 1 | sed 's/\\n/ /g'; }; \
	tell() { eval "set=\$${$$1:-}"; [ -n "$$set" ] || [ -z "$$2" ] || export "$$1=$$2"; }; \
	tell UV_DEFAULT_INDEX "$${UV_INDEX_URL:-$$(pip_says index-url)}"; \
	tell UV_INDEX "$$(pip_says extra-index-url)"; tell UV_FIND_LINKS "$$(pip_says find-links)"; \
	tell UV_INSECURE_HOST "$$(pip_says trusted-host)"; tell SSL_CERT_FILE "$$(pip_says cert)"; tell ALL_PROXY "$$(pip_says proxy)"; \
	tell UV_INDEX_STRATEGY unsafe-best-match

UV := VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(PYTHON) -m uv --quiet --no-config
UV_LOCK := $(if $(filter pip,$(INSTALLER)),,requirements-uv.lock)

by_uv = { $(PIP) install --no-deps --require-hashes --only-binary :all: -r $(UV_LOCK) && ($(PIP_SAYS); $(UV) pip install $(1)); } \
	|| { echo "setup: uv could not install; now by pip" >&2; false; }

# $(1): options and requirements that both understand.
packages = { $(if $(UV_LOCK),$(by_uv) ||) $(PIP) install $(1); }

$(VENV)/.run: $(VENV)/.made requirements.lock $(UV_LOCK)
	@$(call install,installing $$(grep -c == requirements.lock) packages from requirements.lock,\
		$(call packages,--no-deps --require-hashes -r requirements.lock))

$(VENV)/.package: $(VENV)/.run pyproject.toml
	@$(call install,installing headrace in place,$(call packages,--no-build-isolation --no-deps --editable .))

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@$(call install,adding the tools of requirements-dev.lock,\
		$(call packages,--no-deps --require-hashes -r requirements-dev.lock))

KERNEL_FOLDERS := core/matching core/matching/* core/matching/*/* core/intake/delimited core/intake/tables core/workloads/* core/workloads/*/* core/workloads/*/*/*

$(VENV)/.kernels: $(VENV)/.package $(wildcard $(addsuffix /*.py,$(KERNEL_FOLDERS)))
	@$(call timed,compiling the kernels (about a minute),$(PYTHON) -m core.workloads warm engine) && touch $@

# The demo reads one Parquet file, compares no texts and reconciles nothing, so it does not wait for these.
$(VENV)/.more-kernels: $(VENV)/.kernels
	@$(call timed,compiling the kernels of texts and links,$(PYTHON) -m core.linkage.warm more)
	@$(call timed,compiling the kernels of workloads,$(PYTHON) -m core.workloads warm) && touch $@
