# The two commands of a new user: `make quickstart` and `make test`. Everything else is for those who change the code.
PYTHON ?= python3
EXTRA ?= cpu
# A file of exact versions; `.ci/run` installs those of .ci/constraints.txt, which `make lock` writes after an update.
LOCK ?=
BIN := .venv/bin
READY := .venv/.ready-$(EXTRA)
# A process of tests for each core; one that has finished takes over the last tests of another.
PARALLEL := --numprocesses auto --dist worksteal
# A browser and its server, shared by the tests of the pages and timed by some: one process, nothing beside it.
BROWSER := tests/app/test_browser.py tests/app/test_load.py tests/reporting/report/test_report_in_browser.py tests/test_reference_in_browser.py

# Each process of tests would otherwise compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: quickstart test test-all test-thorough test-torch test-mlflow test-dask test-lowest lock lint types format docs benchmarks reference wheel clean

quickstart: $(READY)
	$(BIN)/leukobench synthetic results/synthetic-smears --images 480 --patients 48
	$(BIN)/leukobench run quickstart.yaml
	@echo "Next, your own images, one folder per class:  $(BIN)/leukobench run --images FOLDER"

test: $(READY)
	$(BIN)/python -m pytest $(PARALLEL)

test-all: $(READY)
	$(BIN)/python -m pytest $(PARALLEL) -m "not thorough" --durations=25 $(BROWSER:%=--ignore=%)
	$(BIN)/python -m pytest -m "" --durations=10 $(BROWSER)

test-thorough: $(READY)
	$(BIN)/python -m pytest $(PARALLEL) -m thorough --durations=15

# Runs on schedulers and workers of Dask, some of which are killed on the way.
test-dask: $(READY)
	$(BIN)/python -m pytest -m dask --durations=10

# Tests of networks of timm, in an environment of their own: PyTorch brings gigabytes.
test-torch:
	$(PYTHON) -m venv build/torch
	build/torch/bin/python -m pip install --quiet --upgrade pip "setuptools>=77" wheel
	build/torch/bin/python -m pip install --quiet --editable ".[$(EXTRA),app,torch,dev]" $(LOCK:%=--constraint %)
	build/torch/bin/python -m pytest -m torch

# Runs in MLflow, on a server that the tests start, and the documents' SQL in DuckDB, in an environment of their own: it brings another pyarrow.
test-mlflow:
	$(PYTHON) -m venv build/mlflow
	build/mlflow/bin/python -m pip install --quiet --upgrade pip "setuptools>=77" wheel
	build/mlflow/bin/python -m pip install --quiet --editable ".[$(EXTRA),mlflow,dev]" mlflow duckdb
	build/mlflow/bin/python -m pytest -m mlflow --ignore tests/app

# The fast tests with the oldest version of each main dependency that setup.cfg allows, in an environment of their own.
test-lowest:
	$(PYTHON) -m venv build/lowest
	build/lowest/bin/python -m pip install --quiet --upgrade pip "setuptools>=77" wheel
	sed -n '/^install_requires/,/^\[/s/^ *\([A-Za-z0-9_.-]*\)>=\([0-9.]*\)$$/\1==\2/p' setup.cfg > build/lowest.txt
	build/lowest/bin/python -m pip install --quiet --editable ".[$(EXTRA),app,dev,docs]" --constraint build/lowest.txt
	build/lowest/bin/python -m pytest $(PARALLEL) -W default

lock: $(READY)
	$(BIN)/python -m pip freeze --exclude-editable | grep == > .ci/constraints.txt

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	rm -rf build
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --target build/typed .
	MYPYPATH=build/typed $(BIN)/mypy -p leukobench

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The site of docs/ in build/docs, without network: a warning, a dead link and whatever a page loads from elsewhere are errors.
docs: $(READY)
	$(BIN)/python -m sphinx --builder html --conf-dir docs --fail-on-warning --keep-going --quiet . build/docs
	$(BIN)/python docs/check_site.py build/docs

benchmarks: $(READY)
	$(BIN)/python benchmarks/run.py $(IMAGES) $(if $(ONLY),--only $(ONLY)) $(if $(REPEATS),--repeats $(REPEATS))

# DATA holds the sets of images as benchmarks/reference/sets.py names them. Hours, which resume; ONLY=documents takes a second.
reference: $(READY)
	$(BIN)/python -m benchmarks.reference $(DATA) $(if $(ONLY),--only $(ONLY)) $(if $(SETS),--sets $(SETS))

# Sdist and wheel, their metadata and contents; then the wheel in an empty environment, with a run outside of the repository.
# WITH=cpu installs that extra, too, and runs quickstart.yaml with its network.
wheel:
	rm -rf dist build/lib build/outside
	$(PYTHON) -m venv build/wheel
	build/wheel/bin/python -m pip install --quiet --upgrade pip build twine
	build/wheel/bin/python -m build --outdir dist . > build/wheel.log
	build/wheel/bin/python -m twine check --strict dist/*
	$(PYTHON) tests/check_wheel.py dist/leukobench-*.whl
	$(PYTHON) -m venv --clear build/installed
	build/installed/bin/python -m pip install --quiet "$$(ls dist/leukobench-*.whl)$(WITH:%=[%])" $(LOCK:%=--constraint %)
	mkdir build/outside
	cp -r tests/plugin tests/outside.yaml quickstart.yaml build/outside
	cd build/outside && ../installed/bin/leukobench --version
	cd build/outside && ../installed/bin/leukobench synthetic results/synthetic-smears --images 96 --patients 24
	cd build/outside && LEUKOBENCH_CACHE=cache ../installed/bin/leukobench run $(if $(WITH),quickstart,outside).yaml
	rm -rf build/wheel build/installed build/outside

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache

$(READY): setup.cfg pyproject.toml $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "leukobench needs Python 3.11 or newer; found: $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip "setuptools>=77" wheel
	$(BIN)/python -m pip install --quiet --editable ".[$(EXTRA),app,dev,docs]" $(LOCK:%=--constraint %)
	touch $@
