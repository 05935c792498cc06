# CommerceBridge. Each target says what it does; `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
# Much of a test is waiting (for servers, doubts, leases), so there are more workers than cores.
WORKERS ?= $(shell expr $$(nproc) + 2)
SERVICES := $(BIN)/python -m tests.support.services

.DEFAULT_GOAL := help
.PHONY: help setup lint fmt types imports check test test-live chaos bench demo lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-12s %s\n", $$1, $$2}'

setup: .venv/.installed ## Make the virtual environment with the locked packages

.venv/.installed: requirements.lock pyproject.toml
	@bin/check-python "$(PYTHON)" $(MAKECMDGOALS)
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## The main job in one process: 200 orders, faults on, nothing lost, nothing doubled
	$(BIN)/bridge demo

test: setup ## All tests that need no account; starts what it lacks and cleans up behind itself
	$(SERVICES) -- $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal tests

check: setup lint types imports ## Lint, types and import directions

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

fmt: setup ## Format the code
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

chaos: setup ## Everything breaks and dies at random, ROUNDS=n from SEED=n on, and at each point of each write
	BRIDGE_CHAOS_ROUNDS=$(or $(ROUNDS),5) BRIDGE_CHAOS_SEED=$(or $(SEED),1) BRIDGE_CHAOS_ORDERS=$(or $(ORDERS),40) \
		$(BIN)/python -m pytest -n 2 -v $(if $(ONLY),-k "$(ONLY)") tests/chaos tests/flows/test_exactly_once_*.py

bench: setup ## What the bridge costs, as ratios (docs/benchmarks.md); SHORT=1 for the short form
	$(SERVICES) --durable -- $(BIN)/python -m tests.bench $(if $(SHORT),--short)

test-live: setup ## Against real servers, where BRIDGE_LIVE_* addresses are given (docs/operations.md)
	@env | grep -q '^BRIDGE_LIVE_' || { echo "Give the addresses of real servers as BRIDGE_LIVE_*: see docs/operations.md." >&2; exit 2; }
	$(BIN)/python -m pytest tests/live

lock: ## Renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet pyproject.toml --group dev -o requirements.lock

clean: ## Remove what the targets made
	rm -rf .venv .bridge .mypy_cache .ruff_cache .import_linter_cache .hypothesis
