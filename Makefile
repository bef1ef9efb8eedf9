# Everything starts from a bare clone: Python 3.11 or later, make, and a package registry. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXTRAS := train,export,runtime,report,tensorboard,io,parquet,serve,openvino,compress,postgres,dev
WORKERS ?= 3  # on two cores: tests of services and of processes wait for a quarter of their time
FLOOR := 95

# One thread a process: the tests already run side by side, and a thread pool in each would only fight for the cores.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1
# A user's own environment must not leak in, whatever is active.
unexport VIRTUAL_ENV PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE CONDA_PREFIX PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV

.DEFAULT_GOAL := help
.PHONY: help demo test coverage check format bench constraints clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## learn, export and predict on drawn pictures, with nothing to download
	@$(BIN)/sightline demo

test: $(READY) ## every test
	@$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

coverage: $(READY) ## the same a quarter slower, with the floor of core and training, and which lines no test reaches
	@$(ONE_THREAD) $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal \
		--cov=sightline.core --cov=sightline.training --cov-report=term-missing --cov-report=html \
		--cov-fail-under=$(FLOOR) $(ARGS)

check: $(READY) ## style, types, floors and the tests about the house itself
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(ONE_THREAD) $(BIN)/python -m pytest -q -m "not slow" tests/house

format: $(READY) ## rewrite the files in the one style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## list the benchmarks and run the quick ones (ARGS="name ..." runs those named)
	@$(BIN)/python .ci/bench.py $(ARGS)

constraints: $(READY) ## resolve the pins anew (needs uv: .venv/bin/pip install uv)
	@$(BIN)/uv pip compile --quiet --universal --upgrade --python-version 3.11 --no-annotate --no-header \
		--no-emit-index-url --no-emit-find-links $(foreach extra,$(subst $(comma), ,$(EXTRAS)),--extra $(extra)) \
		pyproject.toml --output-file $(VENV)/constraints.new
	@{ sed -n '/^#/p' constraints.txt; cat $(VENV)/constraints.new; } > $(VENV)/constraints.txt
	@mv $(VENV)/constraints.txt constraints.txt && rm $(VENV)/constraints.new

clean: ## remove the environment and everything that tools left behind
	@rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache src/*.egg-info
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

comma := ,

$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not there. Name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Sightline needs Python 3.11 or later and $(PYTHON) is older. Name another: make PYTHON=python3.12" >&2; exit 2; }
	@test -x $(BIN)/python || { echo "Making $(VENV) with $$($(PYTHON) --version) ..."; $(PYTHON) -m venv $(VENV); } || \
		{ rm -rf $(VENV); echo "$(PYTHON) cannot make virtual environments. Install its venv package (Debian: apt install python3-venv)." >&2; exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null 2>&1 || \
		{ rm -rf $(VENV); echo "$(PYTHON) has neither pip nor ensurepip. Install its venv package (Debian: apt install python3-venv)." >&2; exit 2; }
	@echo "Installing the pinned libraries into $(VENV) (some minutes the first time) ..."
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]' --constraint constraints.txt
	@touch $(READY)
