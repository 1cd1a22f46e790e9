.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(VENV)/.run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Centralino needs Python 3.11 or later; this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

install: $(VENV)/.run ## The environment in .venv, with what running needs

run: $(VENV)/.run ## All services on one address with an embedded PostgreSQL (PORT=8600)
	@exec $(BIN)/centralino run $(if $(PORT),--port $(PORT))

demo: $(VENV)/.run ## Simulated customers and agents play a day; ARGS="--input FILE --rate 20 --seed 1 --json --url URL"
	@exec $(BIN)/centralino demo $(ARGS)

cluster: $(VENV)/.run ## Kafka, a process for each service and a gateway on this machine; ARGS="--port 8600 --replicas triage=2"
	@exec $(BIN)/centralino cluster $(ARGS)

up: ## The same with docker compose; SCALE="--scale triage=3"
	@sh deploy/compose/make_secrets.sh
	docker compose up --build --detach $(SCALE)

down: ## Ends what `up` started; volumes stay
	docker compose down

image-check: $(VENV)/.dev ## Runs the steps of the Dockerfile in an empty folder, without Docker
	$(BIN)/python -m scripts.run_dockerfile

test: $(VENV)/.dev ## Everything that must hold: lint, types, contracts, tests; ARGS="-n 0 tests/unit" for a part
	$(MAKE) lint types
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "not load" $(ARGS)
	$(if $(ARGS),,$(BIN)/python -m pytest -m load tests/system)

lint: $(VENV)/.dev ## ruff, import rules, proto lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/buf lint proto

types: $(VENV)/.dev ## mypy, strict
	$(BIN)/mypy libs services scripts tests bench docs/clients

contracts: $(VENV)/.dev ## Everything generated from proto/ and from the services: code, catalogue, AsyncAPI, OpenAPI, flow picture
	$(BIN)/python -m scripts.generate_contracts
	$(BIN)/python -m scripts.generate_documents
	$(BIN)/python -m scripts.generate_monitoring

prove: $(VENV)/.dev ## The invariants of routing over random steps (STEPS=1000000 SEED=1)
	$(BIN)/python -m tests.unit.routing.prove --steps $(or $(STEPS),1000000) --seed $(or $(SEED),1)

models: $(VENV)/.dev ## Trains the default triage model on the own set
	$(BIN)/python -m scripts.train_models

crash: $(VENV)/.dev ## Kills a cluster on Kafka while a load runs and compares; goes on where it was (KILLS=30 SEED=1)
	@mkdir -p .crash
	$(BIN)/python -m tests.system.cluster_crash --kills $(or $(KILLS),30) --seed $(or $(SEED),1) --journal .crash/seed-$(or $(SEED),1).jsonl

crash-embedded: $(VENV)/.dev ## The same with the embedded host (KILLS=14 CONVERSATIONS=1000 SEED=1)
	$(BIN)/python -m tests.system.crash --kills $(or $(KILLS),14) --conversations $(or $(CONVERSATIONS),1000) --seed $(or $(SEED),1)

bench: $(VENV)/.dev ## The figures of docs/benchmarks.md
	$(BIN)/python -m bench

clean: ## Removes the environment and caches, not the data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help install run demo cluster up down image-check test lint types contracts prove models crash crash-embedded bench clean
