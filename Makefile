# Both commands work on a machine that has only Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARTIFACTS := artifacts

.PHONY: run class lock test lint browser clean

run: $(VENV)/app
	$(BIN)/streamlit run app.py

# For everybody who can reach this machine: see docs/security.md.
class: $(VENV)/app
	$(BIN)/streamlit run app.py --server.address 0.0.0.0

# Two test files at a time, in their order, which has the slow ones first: a third would wait for a
# core, and some tests wait for workers. A browser needs both cores for itself.
test: $(VENV)/test lint browser
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/browser
	$(BIN)/python -m pytest tests/browser

lint: $(VENV)/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --num-workers 2

# The browser tests need a Chromium: the system's, or the one that Playwright brings.
browser: $(VENV)/test
	$(BIN)/python -m tests.browser.chromium

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "CNN Lab needs Python 3.11 or newer.")'
	$(PYTHON) -m venv $(VENV)

# Exactly what was tried, each file by its hash.
$(VENV)/app: requirements.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	touch $@

# After a change of requirements.txt, and to take up newer versions.
lock: | $(BIN)/python
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --quiet requirements.txt --output-file requirements.lock

$(VENV)/test: requirements-test.txt $(VENV)/app
	$(BIN)/python -m pip install --quiet -r requirements-test.txt
	touch $@

clean:
	rm -rf $(VENV) $(ARTIFACTS) .pytest_cache .mypy_cache .ruff_cache .hypothesis
