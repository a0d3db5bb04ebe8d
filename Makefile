# One target per job; `make help` lists them. Everything installs into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := --quiet --generate-hashes --allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-options --no-header --no-strip-extras
# previewbot itself comes from this clone, and no index has it.
DEMO_NEEDS := import tomllib; needs = tomllib.load(open("demo/pyproject.toml", "rb"))["project"]["dependencies"]; \
	print(*(need for need in needs if not need.startswith("previewbot")), sep="\n")

# Tests mostly wait, so five at a time keep two cores busy. tests/conftest.py says which stay together, and the order.
PYTEST := $(BIN)/pytest --dist loadscope --no-loadscope-reorder --numprocesses

# Every process of the tests would compile previewbot, and every worker of pytest all tests, once more.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo demo-check reference test beside-lint test-cluster test-binaries image-root browser-test node-test long lint fresh-test pictures lock audit refresh-base wheel sbom clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What is never imported need not be compiled; the rest is when it is first imported.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile

$(VENV)/.runtime: requirements.lock demo/requirements.lock pyproject.toml demo/pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing previewbot and its demo (once)"
	@$(PIP) --require-hashes -r requirements.lock -r demo/requirements.lock
	@$(PIP) --no-deps -e . -e demo
	@echo installed > $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	@echo "installing what the tests need (once)"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@echo installed > $@

setup: $(VENV)/.dev ## make the virtual environment with all that development needs

demo: $(VENV)/.runtime ## the main job on one machine: opens a small world with previewbot in it
	@$(BIN)/previewbot demo

demo-check: $(VENV)/.runtime ## the same tour without a person; fails at the first thing that is not as described
	@$(BIN)/previewbot demo --check

lint: $(VENV)/.dev ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test-binaries: $(VENV)/.runtime ## build etcd, Kubernetes, helm and a registry for the tests (once; needs Go, or brings it)
	@$(BIN)/python -m tests.cluster.build

image-root: $(VENV)/.runtime ## fetch what the image consists of, for the tests (once)
	@$(BIN)/python -m tests.chart.image

# The cache is hidden, so that a test that needs what Go builds without being marked `cluster` fails here too.
test: $(VENV)/.dev ## all that needs Python alone: lint, types, layers, the tour, unit, contract, end-to-end
	@$(MAKE) --no-print-directory --jobs 2 lint beside-lint
	PREVIEWBOT_TEST_CACHE=/nonexistent KUBEBUILDER_ASSETS= $(PYTEST) 5 -m "not cluster and not long"

# Lint keeps one core busy. On another the tests are compiled meanwhile, once instead of by each worker of pytest (what is
# wrong with them pytest tells later), and the tour is taken; what it prints comes in one piece.
beside-lint: $(VENV)/.dev
	@$(BIN)/pytest --collect-only --quiet > /dev/null 2>&1 || true
	@said=$$($(BIN)/previewbot demo --check --port 0 2>&1); ended=$$?; printf '%s\n' "$$said"; exit $$ended

# It has a user, a home and a network of its own, and a Python without any package.
fresh-test: ## as a fresh user: clone, and the README's two commands; only pip leaves the machine (CI)
	@PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m tests.fresh.run

# Where tests may be marked `cluster`: importing all others takes longer than they do. tests/conftest.py holds them to it.
WITH_GO := tests/chart tests/cluster tests/contract tests/security

test-cluster: $(VENV)/.dev test-binaries image-root ## the contracts, the chart and the tour on real Kubernetes, a real registry
	$(PYTEST) 3 -m "cluster and not long" $(WITH_GO)

long: $(VENV)/.dev test-binaries ## every crash and fault through real processes, and the benches in short
	$(PYTEST) 2 -m long
	$(BIN)/python -m bench.scale 30
	$(BIN)/python -m bench.intake 3

# What it holds wants more than itself; only a file of it is used.
$(VENV)/.browser: $(VENV)/.dev tests/browser/requirements.lock
	@$(PIP) --no-deps --require-hashes -r tests/browser/requirements.lock
	@touch $@

browser-test: $(VENV)/.browser ## the pages in a real Chromium: every state, phone and desktop, keyboard, dark (needs Chromium)
	$(BIN)/pytest --numprocesses 2 --dist loadfile tests/browser

# It counts lost webhooks: beside another whole node on two cores, it would count those that this one took the time from.
WORKING_DAY := tests/node/test_working_day.py

node-test: $(VENV)/.browser ## the chart on a real node: pods, probes, a Gateway; the pages (Linux, root; builds once)
	@$(BIN)/python -m tests.node.build
	@$(MAKE) --no-print-directory browser-test
	$(BIN)/pytest -v --numprocesses 2 --ignore $(WORKING_DAY) tests/node
	$(BIN)/pytest -v $(WORKING_DAY)

reference: $(VENV)/.runtime ## write docs/reasons.md and docs/agents-recognised.md, and the pages and schemas of the two configuration files, from the code
	$(BIN)/python -m docs.reference

pictures: $(VENV)/.browser ## take the README's pictures anew, of the demo as it is (Chromium; look at each of them)
	@$(BIN)/python -m tests.pictures.take

lock: $(VENV)/.dev ## refresh the lock files
	$(BIN)/pip-compile $(LOCK) --extra dev --extra mcp --output-file requirements-dev.lock pyproject.toml
	$(BIN)/pip-compile $(LOCK) --constraint requirements-dev.lock --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile $(LOCK) --constraint requirements-dev.lock --extra mcp --output-file requirements-mcp.lock pyproject.toml
	$(BIN)/pip-compile $(LOCK) --constraint requirements-dev.lock --extra pictures --output-file requirements-pictures.lock pyproject.toml
	$(BIN)/pip-compile $(LOCK) --constraint requirements-dev.lock --only-build-deps --build-deps-for wheel --output-file requirements-build.lock pyproject.toml
	printf 'aiohttp\npydantic\n' | $(BIN)/pip-compile $(LOCK) --constraint requirements.lock --output-file action/requirements.lock -
	$(BIN)/python -c '$(DEMO_NEEDS)' | $(BIN)/pip-compile $(LOCK) --constraint requirements-dev.lock --output-file demo/requirements.lock -

audit: $(VENV)/.dev ## known vulnerabilities in what the lock files pin, as far as their data can be had
	@$(BIN)/python -m supply.audit

refresh-base: $(VENV)/.runtime ## pin the images' base by the digest that its tag names now
	@$(BIN)/python -m supply.refresh_base
	@$(BIN)/python -m supply.refresh_base --dockerfile Dockerfile.pictures

wheel: ## build the wheel that the image has into dist/, and show its hash
	@rm -rf dist/*.whl
	@PYTHON=$(PYTHON) sh image/install.sh wheel dist
	@$(PYTHON) -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest(), sys.argv[1])' dist/previewbot-*.whl

sbom: $(VENV)/.dev wheel ## list what is in the image (CycloneDX) into dist/
	@$(BIN)/python -m supply.sbom dist/previewbot-*.whl > dist/previewbot.cdx.json
	@echo dist/previewbot.cdx.json

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
