# Colony: every command a developer needs. `make help` lists them.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: help setup demo test check bench simulate lint types imports docs clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## make the virtual environment; afterwards .venv/bin/colony is the command
$(VENV)/.ready: pyproject.toml constraints.txt
	@sh tools/make_venv.sh $(PYTHON) $(VENV)
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	@touch $@

$(VENV)/.ready-test: $(VENV)/.ready
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[test]'
	@sh tools/system_packages.sh
	@touch $@

demo: setup ## solve circles-26 live and write a report
	$(BIN)/colony solve circles-26 --seed 1 --budget 50s --target record

test: $(VENV)/.ready-test ## the whole suite on all cores
	$(BIN)/python -m pytest -n auto --dist loadgroup

check: $(VENV)/.ready-test lint types imports test ## everything that must hold before a change lands
lint:
	$(BIN)/ruff check src tests bench examples
	$(BIN)/ruff format --check src tests bench examples
types:
	$(BIN)/mypy
imports:
	$(BIN)/lint-imports
