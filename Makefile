# Two commands do everything: `make demo` and `make test`.  `make help` lists the rest.

SHELL := /bin/sh
BIN := .venv/bin
RAID := examples/seven-rockets

.DEFAULT_GOAL := help
.PHONY: help demo demo-live test lint slow bench format lock clean venv venv-test oracle sapient-schema

help: ## List what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
		printf '  make %-8s %s\n' "$$name" "$$text"; done

demo: venv ## Track the seven-rocket raid before your eyes, and write the after-action report to out/
	@mkdir -p out
	@rm -f out/seven-rockets.*
	@cp tests/data/seven-rockets/truth.json out/seven-rockets.truth.json
	@if [ -t 1 ]; then pace=4; else pace=0; fi; \
	$(BIN)/opencram process $(RAID)/site.toml --plots $(RAID)/plots.ndjson \
		--recording out/seven-rockets.opencram --report out/seven-rockets.html --pace $$pace
	@echo "Watch it in a browser: $(BIN)/opencram serve out/seven-rockets.opencram, then http://127.0.0.1:8700/"

demo-live: venv-test ## Radars speaking ASTERIX into the live service; sirens from a broker, CAP files in out/live
	@sh examples/live/demo.sh

# Bytecode is written, though the environment may say not to: each of the many processes that tests start compiles else.
test: export PYTHONDONTWRITEBYTECODE =
test: venv-test oracle ## Run the test suite
	@$(BIN)/python -m pytest -n auto --dist loadfile

lint: venv-test ## Run the linters: ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

slow: venv-test ## Run the statistical checks: many simulated raids, some minutes
	@$(BIN)/python -m pytest -m slow

bench: venv-test ## Measure speed, beside Stone Soup on the same plots
	@$(BIN)/python benchmarks/process_speed.py

format: venv-test ## Format the source
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

oracle: venv-test ## Install libasterix in .venv-oracle, for the tests that compare our ASTERIX codec with it
	@sh requirements/oracle.sh

sapient-schema: venv-test ## Make the SAPIENT schema from its .proto files (needs grpcio-tools)
	@cd src/opencram/adapters/sapient/proto && ../../../../../$(BIN)/python -m grpc_tools.protoc -I. --include_imports \
		--descriptor_set_out=../schema.binpb sapient_msg/bsi_flex_335_v2_0/sapient_message.proto

lock: ## Pin what pyproject.toml asks for, with hashes, in requirements/*.txt
	@sh requirements/lock.sh

clean: ## Remove what was made: environments, caches, out/
	rm -rf .venv .venv-lock .venv-oracle benchmarks/.venv-peer out build dist
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# Both do nothing while .venv is as requirements/*.txt and pyproject.toml want it.
venv:
	@sh requirements/venv.sh runtime

venv-test:
	@sh requirements/venv.sh test
