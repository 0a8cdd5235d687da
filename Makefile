# samebeat: the manual, and the commands it describes. Plain `make` prints it.
#
## Everything happens in ./.venv, which the first command creates; nothing else on the machine
## is touched. What is installed is pinned by version and hash, as wheels: no compiler needed.
## Python 3.11 or newer, with pip and venv, is all you bring.
##
##   New here?         `make check` explores every model of the catalog and prints the verdicts.
##   Changing code?    `make test` before a commit; `make test-all` before a merge.
##   Changing a dependency?    Edit pyproject.toml, then `make lock`.
##
## Targets:

PYTHON ?= python3
VENV   ?= .venv
# Passed on to the command a target runs: `make check ARGS=--help`.
ARGS   ?=
# `make lock UPGRADE=--upgrade` moves every pin to the newest release; without it, only what must
# move moves.
UPGRADE ?=
# Worker processes for pytest; JOBS=0 runs in this process, for a debugger.
JOBS   ?= auto

BIN := $(VENV)/bin
PIP := python -m pip -qq --disable-pip-version-check
# Whole files go to one worker, so that a state graph built for a file is built once.
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist loadfile

# Written for GNU make 3.81 too, which is what macOS ships.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help check conform test test-all lint mutants fuzz figures plot second-opinion bench lock clean

help: ## print this manual
	@awk '/^##/ { sub(/^## ?/, ""); print } \
	  /^[a-z-]+:.*## / { name = $$1; sub(/:/, "", name); sub(/^[^#]*## /, ""); \
	    printf "  %-16s%s\n", name, $$0 }' Makefile
	@printf '\nVariables: PYTHON=%s VENV=%s JOBS=%s ARGS=%s (more on each in the Makefile)\n' \
	  '$(PYTHON)' '$(VENV)' '$(JOBS)' '$(ARGS)'

check: $(VENV)/.run ## check every model of the catalog against its properties and pinned counts
	@$(BIN)/samebeat check $(ARGS)

conform: $(VENV)/.run ## hold the production core against the spec on every step, some minutes
	@$(BIN)/samebeat conform $(ARGS)

test: lint ## lint, then the fast tests; this is what continuous integration runs
	$(PYTEST) -m "not slow" $(ARGS)

test-all: lint ## lint, then every test, the slow ones included
	$(PYTEST) $(ARGS)

lint: $(VENV)/.dev ## style, formatting, types, and who may import whom
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

mutants: $(VENV)/.dev ## what notices which mistake in the core (ARGS=--judge asks about what is open)
	@$(BIN)/python -m samebeat_conformance.mutants $(ARGS)

fuzz: $(VENV)/.fuzz ## throw ten million datagrams at the codec and the core (Linux, CPython 3.11-3.13)
	@$(BIN)/python -m samebeat_conformance.fuzz $(ARGS)

second-opinion: $(VENV)/.dev ## ask TLC, Rumur and Spin to count our states, cvc5 to prove again
	$(BIN)/python -m pytest -n 0 -m second_opinion -v -rs $(ARGS)

figures: $(VENV)/.run ## measure what each parameter of the core does, and what a change of it harms
	@$(BIN)/samebeat figures $(ARGS)

plot: $(VENV)/.plot ## draw these figures: figures.png
	@$(BIN)/samebeat figures --plot figures.png $(ARGS)

bench: $(VENV)/.dev ## measure the explorer against Spin, Rumur and TLC, where installed
	@$(BIN)/python benchmarks/run.py $(ARGS)

lock: $(VENV)/lock/bin/uv ## pin again, after a change of dependencies
	@echo "pinning requirements.lock and those for development, fuzzing and plots ..."
	@$(COMPILE) --group build --output-file requirements.lock
	@$(COMPILE) --group dev --constraint requirements.lock --output-file requirements-dev.lock
	@$(COMPILE) --group fuzz --constraint requirements.lock --output-file requirements-fuzz.lock
	@$(COMPILE) --extra plot --constraint requirements.lock --output-file requirements-plot.lock

clean: ## remove .venv, caches and build output
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- how the environment is made ----------------------------------------------------------------
# Stamp files record what is installed: a second run installs nothing, a changed lock installs
# again. PIP is run by the Python of an environment: $(BIN)/$(PIP).

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo >&2 \
	  "samebeat needs Python 3.11 or newer; '$(PYTHON)' is not: try make PYTHON=python3.12"; exit 1; }
	@echo "creating $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv --clear $(VENV)

# The project itself: editable, its dependencies and its build backend being there already.
define install
	@echo "installing $< into $(VENV) ..."
	@$(BIN)/$(PIP) install --require-hashes --only-binary :all: --requirement $<
	@$(BIN)/$(PIP) install --no-deps --no-build-isolation --editable .
endef

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/pyvenv.cfg
	$(install)
	@touch $@

# The dev lock contains the runtime lock, so this serves both.
$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/pyvenv.cfg
	$(install)
	@touch $@ $(VENV)/.run

# atheris has wheels for some Pythons and platforms only: nothing else needs it.
$(VENV)/.fuzz: requirements-fuzz.lock $(VENV)/.dev
	@echo "installing $< into $(VENV) ..."
	@$(BIN)/$(PIP) install --require-hashes --only-binary :all: --requirement $<
	@touch $@

# matplotlib is an extra: the figures are printed without it.
$(VENV)/.plot: requirements-plot.lock $(VENV)/.run
	@echo "installing $< into $(VENV) ..."
	@$(BIN)/$(PIP) install --require-hashes --only-binary :all: --requirement $<
	@touch $@

# Only `lock` needs uv, so it stays out of the locks: one environment of its own.
$(VENV)/lock/bin/uv: | $(VENV)/pyvenv.cfg
	@$(BIN)/python -m venv $(VENV)/lock
	@$(VENV)/lock/bin/$(PIP) install --only-binary :all: uv

# One version of each library for every Python and platform (`fewest`), wheels only, and nothing in
# the output that depends on where it was made: no index, no host, no path.
COMPILE = $(VENV)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
  --fork-strategy fewest --only-binary :all: --generate-hashes --no-emit-index-url \
  --custom-compile-command "make lock" $(UPGRADE) pyproject.toml
