# Every recipe brings .venv up to date first; that takes no time when it already is.
.DEFAULT_GOAL := help
BIN := .venv/bin

# Extra arguments for a recipe's main command: make test ARGS="-k house -x"
ARGS ?=

.PHONY: help
help: ## list these recipes
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## make .venv ready, with everything in its locked version
	@scripts/bootstrap

.PHONY: clients
clients: setup ## make the clients ready that the tests run: npm packages, mcp 1.x, a generator of clients
	@scripts/test-clients

.PHONY: serve
serve: setup ## serve the prompts in prompts/ (ARGS="--port 9000")
	@$(BIN)/ctxfy serve --prompts prompts $(ARGS)

.PHONY: test
test: clients ## run the tests on every processor (ARGS="tests/unit -x", ARGS="-n 0")
	@$(BIN)/pytest -n auto --dist worksteal $(ARGS)

.PHONY: fuzz
fuzz: setup ## send the API what nobody would, for FUZZ_SECONDS (300) with a key of each scope
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-300} $(BIN)/pytest -n 0 --timeout 0 tests/e2e/test_fuzzing.py $(ARGS)

.PHONY: kills
kills: setup ## kill -9 at random moments: SQLITE_KILLS (50), POSTGRES_KILLS (20), KILL_SEED
	@SQLITE_KILLS=$${SQLITE_KILLS:-50} POSTGRES_KILLS=$${POSTGRES_KILLS:-20} \
		$(BIN)/pytest -n 0 -rP tests/e2e/test_kills.py $(ARGS)

.PHONY: recovery
recovery: setup ## lose the machine after a backup under load, and come back: RECOVERY_EVENTS (1000000)
	@RECOVERY_EVENTS=$${RECOVERY_EVENTS:-1000000} \
		$(BIN)/pytest -n 0 --timeout 0 -rP tests/e2e/test_recovery.py $(ARGS)

.PHONY: reloads
reloads: setup ## replace RELOAD_PROMPTS (2000) prompts RELOADS (100) times while they are asked for
	@RELOADS=$${RELOADS:-100} RELOAD_PROMPTS=$${RELOAD_PROMPTS:-2000} \
		$(BIN)/pytest -n 0 -rP tests/e2e/test_reloads.py $(ARGS)

.PHONY: model-test
model-test: setup ## live keys and people next to a dictionary: MODEL_LIVES (500) of MODEL_STEPS (60)
	@MODEL_LIVES=$${MODEL_LIVES:-500} MODEL_STEPS=$${MODEL_STEPS:-60} \
		$(BIN)/pytest -n 0 --timeout 0 tests/integration/test_key_model.py $(ARGS)

.PHONY: lane-trial
lane-trial: setup ## compare the express lane with FastMCP alone over LANE_REQUESTS (50000) requests
	@LANE_REQUESTS=$${LANE_REQUESTS:-50000} $(BIN)/pytest -n 0 --timeout 0 \
		tests/integration/adapters/mcp_prompts/test_express_lane.py $(ARGS)

.PHONY: replicas
replicas: setup ## several processes on one store: REVOCATIONS (1000), WRITERS (4) for WRITING_SECONDS (30)
	@REVOCATIONS=$${REVOCATIONS:-1000} WRITERS=$${WRITERS:-4} WRITING_SECONDS=$${WRITING_SECONDS:-30} \
		$(BIN)/pytest -n 0 -rP tests/e2e/test_replicas.py $(ARGS)

.PHONY: coverage
coverage: clients ## run the tests and say what they leave out; the core must be covered whole
	@$(BIN)/pytest --cov --cov-report=term --cov-report=html:build/coverage $(ARGS)
	@$(BIN)/coverage report --include='src/ctxfy/core/*' --fail-under=100

.PHONY: conformance
conformance: clients ## run MCP's official conformance suite, and write what came out into its page
	@$(BIN)/python -m tests.e2e.conformance

.PHONY: start-time
start-time: setup ## measure how long a start takes until the first answer, and its memory (ARGS="TIMES PROMPTS")
	@$(BIN)/python scripts/start_time.py $(ARGS)

.PHONY: bench
bench: setup ## measure prompts/get next to an echo, FastMCP and the SDK, in tables (ARGS="ROUNDS SECONDS")
	@$(BIN)/python -m benchmarks.prompts $(ARGS)

.PHONY: bench-contextforge
bench-contextforge: setup ## install ContextForge apart, and measure it next to ctxfy and FastMCP (ARGS="ROUNDS SECONDS")
	@scripts/tools contextforge
	@$(BIN)/python -m benchmarks.prompts contextforge $(ARGS)

.PHONY: bench-quick
bench-quick: setup ## the first of these tables, in under a minute
	@$(BIN)/python -m benchmarks.prompts quick

.PHONY: bench-micro
bench-micro: setup ## measure what the parts of a request cost by themselves, in the process
	@$(BIN)/pytest -q -o addopts=--import-mode=importlib --benchmark-columns=median,iqr,ops,rounds $(ARGS) benchmarks/micro.py

.PHONY: bench-auth
bench-auth: setup ## measure authentications a second, next to a bare echo (ARGS="ROUNDS SECONDS")
	@$(BIN)/python -m benchmarks.auth $(ARGS)

.PHONY: bench-workers
bench-workers: setup ## measure what a second worker brings (ARGS="ROUNDS SECONDS")
	@$(BIN)/python -m benchmarks.workers $(ARGS)

.PHONY: fault-trial
fault-trial: setup ## freeze and kill PostgreSQL, Valkey and a collector under traffic; print what /health says (ARGS=SECONDS)
	@$(BIN)/python -m benchmarks.faults $(ARGS)

.PHONY: rolling-restarts
rolling-restarts: setup ## restart and kill two replicas behind HAProxy under traffic (ARGS="RESTARTS KILLS RATE STREAMS")
	@$(BIN)/python -m benchmarks.rolling $(ARGS)

.PHONY: bench-timing
bench-timing: setup ## compare the time of an unknown key id with that of a wrong secret (ARGS=CALLS)
	@$(BIN)/python -m benchmarks.timing $(ARGS)

.PHONY: bench-observability
bench-observability: setup ## measure what logs and traces cost, next to a silent server (ARGS="ROUNDS SECONDS")
	@$(BIN)/python -m benchmarks.observability $(ARGS)

.PHONY: bench-pages
bench-pages: setup ## measure the pages and OpenAPI's document with 200 prompts (ARGS="CONNECTIONS SECONDS")
	@$(BIN)/python -m benchmarks.pages $(ARGS)

.PHONY: screenshots
screenshots: clients ## take the two pictures of docs/images anew, by the test of the pages
	@mkdir -p docs/images
	@SCREENSHOTS=docs/images $(BIN)/pytest -q -n 0 tests/e2e/test_pages.py -k rendered $(ARGS)
.PHONY: slow-clients
slow-clients: setup ## hold connections like an attacker, and measure good clients (ARGS="CONNECTIONS ROUNDS SECONDS")
	@$(BIN)/python -m benchmarks.slow_clients $(ARGS)

.PHONY: soak
soak: setup ## ask for prompts over many connections for minutes, and watch the memory (ARGS="MINUTES CONNECTIONS A_MINUTE")
	@$(BIN)/python -m benchmarks.soak $(ARGS)

.PHONY: wheel-trial
wheel-trial: setup ## run the wheel alone, as a stranger would, with uv in an empty folder
	@$(BIN)/python scripts/wheel_trial.py

.PHONY: deployment-check
deployment-check: setup ## judge Dockerfile, Compose, Kubernetes, systemd and the pipeline by their own tools
	@scripts/tools deployment
	@$(BIN)/python scripts/deployment_check.py

.PHONY: image-trial
image-trial: setup ## build the image, run it read-only and without rights; needs root, takes Debian's buildah and podman
	@$(BIN)/python scripts/image_trial.py

.PHONY: check
check: lint types imports security docs ## all checks but the tests: the five that follow

.PHONY: lint
lint: setup ## formatting and ruff's rules
	@$(BIN)/ruff format --check --quiet || { echo '`make format` repairs the formatting' >&2; exit 1; }
	@$(BIN)/ruff check --quiet

.PHONY: types
types: setup ## both type checkers
	@$(BIN)/mypy
	@$(BIN)/basedpyright

.PHONY: imports
imports: setup ## who may import whom
	@$(BIN)/lint-imports --no-logo

.PHONY: security
security: setup ## bandit over the source
	@$(BIN)/bandit --quiet --recursive --configfile pyproject.toml src

.PHONY: scan
scan: setup ## look for secrets and holes: detect-secrets, wapiti, schemathesis; SCAN_SECONDS (300)
	@scripts/tools scan
	@$(BIN)/python scripts/scan.py $${SCAN_SECONDS:-300}
	@FUZZ_SECONDS=$${SCAN_SECONDS:-300} $(BIN)/pytest -n 0 --timeout 0 tests/e2e/test_fuzzing.py $(ARGS)

.PHONY: docs
docs: setup ## build the documentation into build/docs; a warning is an error
	@$(BIN)/sphinx-build --quiet --nitpicky --fail-on-warning docs build/docs

.PHONY: reference
reference: setup ## write the generated parts of the reference pages, the schema of prompt files, and the dashboards
	@$(BIN)/python scripts/reference.py
	@$(BIN)/python -m scripts.dashboards

.PHONY: page-examples
page-examples: setup ## run what the README, the tutorials and the how-to guides tell people to type
	@PAGE_EXAMPLES=all $(BIN)/pytest -n 0 --timeout 0 tests/e2e/test_page_examples.py $(ARGS)

.PHONY: changelog
changelog: setup ## show what a release would write into CHANGELOG.md
	@$(BIN)/towncrier build --draft --version next

.PHONY: format
format: setup ## repair formatting and whatever ruff can repair safely
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format

# uv as scripts/bootstrap finds it. The runtime set is cut from the tested one, never resolved apart.
COMPILE = PATH="$(CURDIR)/.tools/bin:$$PATH" uv pip compile --quiet --universal --generate-hashes \
	--python $(BIN)/python --python-version 3.13 --custom-compile-command 'make lock' $(ARGS)

.PHONY: lock
lock: setup ## write requirements/ anew from pyproject.toml (ARGS=--upgrade for newer versions)
	@$(COMPILE) pyproject.toml --group dev --output-file requirements/dev.txt
	@$(COMPILE) pyproject.toml --constraints requirements/dev.txt --output-file requirements/runtime.txt
	@$(COMPILE) --group build --constraints requirements/dev.txt --output-file requirements/build.txt
	@$(COMPILE) --group mcp1 --output-file requirements/mcp1.txt
	@$(COMPILE) --group client-generator --output-file requirements/client-generator.txt
	@$(COMPILE) --group scan --output-file requirements/scan.txt
	@$(COMPILE) --group deployment --output-file requirements/deployment.txt
	@$(COMPILE) --group contextforge --output-file requirements/contextforge.txt
	@echo uv | $(COMPILE) - --output-file requirements/bootstrap.txt
	@scripts/bootstrap

.PHONY: clean
clean: ## remove what builds, checks and tests left; .venv, .tools and var stay
	@rm -rf build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache
	@find src tests docs -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
