# make demo    trains, evaluates, exports and scores a flow
# make test    the tests (make test-slow: those that take longer)
# make lint    make wheel    make clean
#
# All of it runs in an environment of its own, .venv. Another Python: make demo PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# TensorFlow's notes on CPU features and missing GPUs.
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: demo test test-slow lint wheel clean

demo: $(VENV)/.installed
	$(BIN)/python -m zoo.demo

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -n 2 -m slow --dist=load

lint: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

wheel: $(VENV)/.created
	rm -rf build dist
	$(BIN)/pip wheel --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	  || { echo "error: needs Python 3.11 to 3.13, $(PYTHON) is $$($(PYTHON) -V 2>/dev/null || echo not installed): apt-get install python3.11 python3.11-venv, then make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo "error: $(PYTHON) cannot make an environment: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

# Made again when what is installed changes. TensorFlow is most of it: 600 MB to download.
$(VENV)/.installed: $(VENV)/.created setup.py pyproject.toml tfflows/versions.py
	$(BIN)/pip install --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.created setup.py pyproject.toml tfflows/versions.py
	$(BIN)/pip install --disable-pip-version-check --editable '.[test,serving]'
	@touch $(VENV)/.installed $@
