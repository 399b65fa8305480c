# Two commands are all a stranger needs: `make demo` and `make test`. Both start from nothing.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint types widgets widgets-check unit end-to-end notebooks browser chaos-short bench chaos clean help

help:
	@echo "make demo    set up, then a song through the whole house; outputs in build/demo"
	@echo "make test    set up, then everything CI runs"
	@echo "make lint    format and check        make types   check the types"
	@echo "make widgets rebuild the front end   make bench   measure"
	@echo "make chaos   the long crash test, with its seed"

# -- set-up: a virtual environment with the tested versions ---------------------------------------

$(VENV)/made: 
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make demo PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml constraints.txt
	@echo "Installing the tested versions; the first time this takes some minutes."
	$(PIP_INSTALL) --editable ".[batch,dashboard]"
	@touch $@

$(VENV)/installed-for-tests: $(VENV)/installed
	$(PIP_INSTALL) --editable ".[batch,dashboard,test]"
	@touch $@

# -- the main job -----------------------------------------------------------------------------------

DEMO := build/demo

demo: $(VENV)/installed
	$(BIN)/soundforge demo --output-folder $(DEMO)
	$(BIN)/papermill --no-progress-bar --log-level ERROR notebooks/quickstart.ipynb $(DEMO)/quickstart.ipynb
	$(BIN)/jupyter nbconvert --log-level ERROR --to html $(DEMO)/quickstart.ipynb
	@echo "The executed notebook: $(DEMO)/quickstart.ipynb, and as a page: $(DEMO)/quickstart.html"
	@echo "Your own songs: $(BIN)/jupyter lab notebooks/quickstart.ipynb"

# -- tests ------------------------------------------------------------------------------------------

test: $(VENV)/installed-for-tests lint-check types widgets-check unit end-to-end chaos-short notebooks browser
	@echo "All of it passed."

PYTEST := $(BIN)/python -m pytest

lint-check: $(VENV)/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

lint: $(VENV)/installed-for-tests
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/installed-for-tests
	$(BIN)/mypy

unit: $(VENV)/installed-for-tests
	$(PYTEST) tests --ignore tests/end_to_end --ignore tests/notebooks --ignore tests/browser --ignore tests/chaos

end-to-end: $(VENV)/installed-for-tests
	$(PYTEST) tests/end_to_end

chaos-short: $(VENV)/installed-for-tests
	$(PYTEST) tests/chaos

notebooks: $(VENV)/installed-for-tests
	$(PYTEST) tests/notebooks

browser: $(VENV)/installed-for-tests
	@sh tests/browser/need_chromium.sh
	$(PYTEST) tests/browser

widgets-check:
	@sh widgets/check.sh

widgets:
	cd widgets && npm ci && npm run build

chaos: $(VENV)/installed-for-tests
	$(BIN)/python -m tests.chaos

bench: $(VENV)/installed-for-tests
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) build dist widgets/node_modules
