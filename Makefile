# Every target works on a fresh clone: Python 3.11 or newer and make are all it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Two targets started side by side ("make run" here, "make lab" there) must not both fill the environment.
ALONE := $(if $(shell command -v flock),flock Makefile,)

.PHONY: run test lint format docs lab bench
.DEFAULT_GOAL := run

run: $(VENV)/run.stamp
	@exec $(BIN)/python manage.py up

test: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.lab.debian
	@exec $(BIN)/python -m pytest -n auto $(ARGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.lab.verdicts
	@$(BIN)/python -m tests.lab.semantics
	@$(BIN)/python -m tests.fields > docs/fields.md

lab: $(VENV)/run.stamp
	@$(BIN)/python -m tests.lab.debian
	@exec $(BIN)/python -m tests.lab $(ARGS)

bench: $(VENV)/dev.stamp
	@exec $(BIN)/python -m bench $(ARGS)

$(VENV)/run.stamp: requirements.lock
$(VENV)/dev.stamp: requirements-dev.lock

$(VENV)/%.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with make PYTHON=…" >&2; exit 2; }
	@$(ALONE) sh -c 'if [ ! "$@" -nt "$<" ]; then \
		echo "Installing what $< names into $(VENV) …" && \
		{ [ -x $(BIN)/pip ] || $(PYTHON) -m venv $(VENV); } && \
		$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --requirement $< && \
		touch "$@"; fi'
