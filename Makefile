# Every target sets itself up and exits 0 only if all is well. `make` alone lists the targets.

VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
MIGRATIONS = src/perdure/store/postgres/migrations

.PHONY: help setup demo test test-long check simulate mutate chaos upgrade bench soak lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## make .venv with everything in it (PYTHON=… chooses the interpreter)

$(STAMP): requirements.lock pyproject.toml scripts/setup.sh
	@scripts/setup.sh $(VENV)
	@touch $(STAMP)

demo: setup ## run the order-fulfilment demo (ARGS=--once ends after the run)
	@$(BIN)/perdure demo $(ARGS)

test: setup ## checks and all tests but the long ones; installs missing servers on Debian as root
	scripts/install-servers.sh
	@$(MAKE) check
	# Two halves, each on servers of its own, as most tests wait for something most of the time. Tests on real servers may
	# be starved by a busy machine: what failed is tried once more, alone.
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not long" || $(BIN)/python -m pytest -m "not long" --last-failed --last-failed-no-failures none

test-long: setup ## the same tests with larger numbers, and those that take long
	scripts/install-servers.sh
	$(BIN)/python -m pytest -m long

check: setup ## formatting, types, import rules, dependencies, SQL, container files, scripts, documents
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/squawk $(MIGRATIONS)/*.sql
	$(BIN)/hadolint Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/shellcheck .ci/run scripts/*.sh examples/*/*.sh
	$(BIN)/python scripts/check_docs.py

simulate: setup ## live whole worlds in memory, one for each seed (SEED=first, SEEDS=how many)
	PYTHONPATH=tests:tests/engine:tests/simulation $(BIN)/python -m simulate --seed $(or $(SEED),0) --seeds $(or $(SEEDS),1)

mutate: setup ## put small faults into engine and runtime, and see whether quick tests find them (SEED=1 MUTANTS=200)
	$(BIN)/python scripts/mutate.py --seed $(or $(SEED),1) --mutants $(or $(MUTANTS),200)

chaos: setup ## break real servers under load for some minutes, then check everything (MINUTES=1 SEED=1)
	scripts/install-servers.sh
	PYTHONPATH=tests $(BIN)/python -m integration.chaos --minutes $(or $(MINUTES),1) --seed $(or $(SEED),1)

upgrade: setup ## replace an older build by this one under load, then check everything (FROM=commit MINUTES=2 SEED=1)
	scripts/install-servers.sh
	PYTHONPATH=tests $(BIN)/python -m integration.rolling --from $(or $(FROM),$(error Say which build is replaced: make upgrade FROM=<commit or tag>)) --minutes $(or $(MINUTES),2) --seed $(or $(SEED),1)

bench: setup ## measure, print a table, write docs/performance.md (QUICK=1, JSON=FILE, ARGS="--only x --form y")
	scripts/install-servers.sh
	$(BIN)/python -m bench $(if $(QUICK),--quick) $(if $(JSON),--json $(JSON)) $(ARGS)

soak: setup ## run for half an hour at 70 % of what is possible: memory flat, tables bounded (MINUTES=30)
	scripts/install-servers.sh
	$(BIN)/python -m bench.soak --minutes $(or $(MINUTES),30)

lock: setup ## bring the lock files up to pyproject.toml (UPGRADE=1 takes newer versions)
	scripts/lock.sh $(BIN)/uv

clean: ## remove what was built and cached, not the data in .perdure
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache mutants bench/.peers
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
