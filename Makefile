# Colony: every command a developer needs. `make help` lists them; `make demo` and `make test` need no step before them.
PYTHON ?=
VENV   ?= .venv
BIN    := $(VENV)/bin
PLACES := src tests bench examples tools
# Pins for what we install and, under its newer name too, for what builds it.
export PIP_CONSTRAINT := constraints.txt
export PIP_BUILD_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# One thread for each process of linear algebra: several would fight for the cores that the tests share.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: help setup setup-test setup-bench demo test check bench simulate lint format types imports tidy docs reference findings clean
help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready ## make the virtual environment; afterwards .venv/bin/colony is the command
$(VENV)/.ready: pyproject.toml constraints.txt tools/make_venv.sh
	@sh tools/make_venv.sh $(VENV) $(PYTHON)
	$(BIN)/python -m pip install -q -e .
	@touch $@

setup-test: $(VENV)/.ready-test ## the same with what the tests need
$(VENV)/.ready-test: $(VENV)/.ready tools/system_packages.sh
	$(BIN)/python -m pip install -q -e '.[test]'
	@sh tools/system_packages.sh
	@touch $@

setup-bench: $(VENV)/.ready-bench ## the same with the systems that we compare with
$(VENV)/.ready-bench: $(VENV)/.ready-test bench/constraints.txt
	PIP_CONSTRAINT=bench/constraints.txt $(BIN)/python -m pip install -q -e '.[bench]'
	@touch $@

demo: setup ## solve circles-26 live and say where the report lies
	$(BIN)/colony solve circles-26 --seed 1 --budget 45s --target record

test: setup-test ## the whole suite on all cores
	$(BIN)/python -m pytest -n auto --dist loadgroup

check: setup-test lint types imports tidy docs test ## everything that must hold before a change lands
lint: setup-test
	$(BIN)/ruff check $(PLACES)
	$(BIN)/ruff format --check $(PLACES)
types: setup-test
	$(BIN)/mypy
imports: setup-test
	$(BIN)/lint-imports --no-logo
tidy: setup-test
	$(BIN)/python -m pytest tests/tidy
docs: setup-test ## the documents are complete, current and true
	$(BIN)/python -m pytest tests/docs -m "not slow"

format: setup-test ## lay out the code and mend what can be mended by itself
	$(BIN)/ruff check --fix-only -q $(PLACES)
	$(BIN)/ruff format $(PLACES)
reference: setup ## write the generated pages of docs/reference anew
	$(BIN)/python tools/write_reference.py

findings: setup ## write docs/results/swarm.md anew from its data
	$(BIN)/python tools/write_findings.py

bench: setup-bench ## the quick variants of the measurements; see docs/results
	for script in journal stm shared_memory sandbox loop programs solve sudoku experiments tasks_ranking tasks_merge tasks_sync tasks_claims routing; do $(BIN)/python bench/$$script.py --quick || exit; done

simulate: setup-test ## many seeds of crash, resume and replay (slow)
	$(BIN)/python -m colony.testing.simulate

clean: ## remove the environment and every cache; runs in .colony stay
	rm -rf $(VENV) .venv-* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
