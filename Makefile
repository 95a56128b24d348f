# Everything happens in the checkout: .venv (Python), .node (the local Solana node), .run (data of `make run`).
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p $(NEW_ENOUGH) 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
TESTS ?= tests
SEEDS ?= 1000
export VAULT_PROGRAMS_DIR ?= programs/artifacts

.DEFAULT_GOAL := help
.PHONY: help install run test check check-python check-rust format programs mutate-program program-docs simulate bench wheel clean

help: ## print this
	@echo "collateral-vault: make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "%-15s %s\n", $$1, $$2 }'

install: .venv/.ready ## set up .venv with vault-indexer, vault-projector and vault-api

.venv/.ready: pyproject.toml uv.lock
	@test -n "$(PYTHON)" && $(PYTHON) $(NEW_ENOUGH) \
		|| { echo "make: Python 3.11 or newer is needed; name one with 'make PYTHON=/path/to/python3 $(MAKECMDGOALS)'" >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv \
		|| { echo "make: '$(PYTHON) -m venv' failed; on Debian and Ubuntu install python3-venv" >&2; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	@UV_PROJECT_ENVIRONMENT=.venv $(BIN)/uv sync --quiet --locked --inexact --python $(BIN)/python
	@touch $@

run: install ## local node, demo traffic, indexer, projectors and API; RUN='--help' lists its options
	@PYTHONPATH=deploy $(BIN)/python -m localnet $(RUN)

test: install wheel ## run all tests (TESTS=path/to/some for a part)
	$(BIN)/pytest $(TESTS)

check: check-python check-rust ## lint, types, import contracts, committed programs

check-python: install ## the part of check that needs no Rust
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-cache
	$(BIN)/python programs/artifacts.py check

# Without Rust the committed programs are used as they are; in CI its absence is a failure.
check-rust:
	@if command -v cargo >/dev/null && cargo clippy --version >/dev/null 2>&1; then \
		cargo fmt --check && cargo clippy --quiet --locked --all-targets -- -D warnings; \
	elif [ -n "$${CI:-}" ]; then echo "check-rust: cargo, rustfmt and clippy are needed" >&2; exit 1; \
	else echo "check-rust: left out, there is no cargo with rustfmt and clippy (https://rustup.rs)"; fi

format: install ## format Python and Rust sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@command -v cargo >/dev/null && cargo fmt || true

programs: install ## rebuild the committed programs and IDLs (for users: anchor build; see docs/program.md)
	$(BIN)/python programs/artifacts.py build

mutate-program: install ## break each check of the programs on purpose and say which test notices (hours; MUTATE='--only deposit')
	$(BIN)/python -m programs.mutate $(MUTATE)

program-docs: install ## rewrite the generated parts of docs/program.md (MEASURE=--measure takes new compute units too)
	$(BIN)/python -m tests.program.document $(MEASURE)

simulate: install ## SEEDS=1000 seeded schedules of failing nodes, dying indexers and projectors; SEED=7 runs one, with its log
	$(BIN)/python -m tests.simulation --seeds $(SEEDS) $(if $(SEED),--seed $(SEED))

bench: install ## print the ratios of decoding, appending and rebuilding, and how soon an event is stored (each file in bench/ has --help or says what it takes)
	$(BIN)/python -m bench.decode
	PYTHONPATH=deploy $(BIN)/python bench/append.py
	PYTHONPATH=deploy $(BIN)/python -m bench.live
	PYTHONPATH=deploy $(BIN)/python -m bench.catch_up
	$(BIN)/python -m bench.rebuild

wheel: install ## build the wheel into dist/
	@rm -rf dist
	@$(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python --out-dir dist

clean: ## remove what was installed, built and run here, but for the data of a real cluster (.cluster)
	rm -rf .venv .node .run dist target programs/target .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .conformance
	@test ! -e .cluster || echo "kept: .cluster, which 'make run' filled from a real cluster; remove it yourself"
