# setup   the environment in .venv, from hashes     paper   the bot against a crash, no keys needed
# test    every check, every test               check   lint, format, types, import directions
# bench   speed against peers                       format  rewrite what can be rewritten
# faults  run the fault matrix, write docs/faults.md
# cards   run the conformance cards, write docs/venues.md
# chaos   end the bot 1,000 times, stop it for 60 s; a quarter of an hour
# lock    new lock files                            clean   remove everything made here
#
# Arguments: make paper ARGS="--scenario squeeze"   make test ARGS="tests/unit -k tiers"

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.stamp
BENCH := .venv/.bench
LOCK := --universal --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--exclude-newer "7 days"

.DEFAULT_GOAL := setup
.PHONY: setup paper test check bench faults cards chaos format lock clean

setup: $(STAMP)

# pip leaves bytecode to compileall, which is not told off by PYTHONDONTWRITEBYTECODE and uses
# every core: without it ccxt alone needs seconds to import, on every start.
$(STAMP): requirements-dev.lock requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "python3 cannot make environments: apt-get install python3-venv" >&2; exit 1; }
	@test -x $(BIN)/python -a -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-compile \
	  --require-hashes --only-binary :all: --requirement requirements-dev.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-compile \
	  --no-index --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib || true
	@$(BIN)/python -c 'import ccxt, os, sys; sys.exit(not os.path.exists(ccxt.__cached__))' || \
	  { echo "the environment must hold bytecode, was without" >&2; exit 1; }
	@touch $(STAMP)

paper: setup
	$(BIN)/plimsoll paper $(ARGS)

test: setup
	$(BIN)/python -m tests.halves $(ARGS)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BENCH)
	$(BIN)/python -m bench $(ARGS)

# The rivals are large: only who compares installs them.
$(BENCH): $(STAMP) requirements-bench.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet \
	  --require-hashes --only-binary :all: --requirement requirements-bench.lock
	@touch $(BENCH)

faults: setup
	$(BIN)/python -m bot.simulate.report

cards: setup
	$(BIN)/plimsoll cards --write docs/venues.md

chaos: setup
	PLIMSOLL_CHAOS_KILLS=1000 PLIMSOLL_CHAOS_STOP=60 $(BIN)/pytest tests/chaos \
	  --junit-xml=.cache/chaos.xml $(ARGS)

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Releases younger than a week are left out: time for a poisoned one to be found. What is locked
# stays unless its bounds changed; make lock ARGS=--upgrade moves everything.
lock:
	@command -v uv >/dev/null || test -x .cache/uv/bin/uv || \
	  { $(PYTHON) -m venv .cache/uv && .cache/uv/bin/pip install --quiet uv; } || \
	  { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	@PATH="$$PATH:.cache/uv/bin"; \
	uv pip compile $(LOCK) $(ARGS) pyproject.toml --quiet -o requirements.lock && \
	uv pip compile $(LOCK) $(ARGS) pyproject.toml --quiet --extra data --extra fast --group dev \
	  -c requirements.lock -o requirements-dev.lock && \
	uv pip compile $(LOCK) $(ARGS) pyproject.toml --quiet --extra fast --group dev --group bench \
	  -c requirements-dev.lock -o requirements-bench.lock && \
	echo hatchling | uv pip compile $(LOCK) $(ARGS) - --quiet --python-version 3.11 \
	  -c requirements-dev.lock -o requirements-build.lock

clean:
	rm -rf .venv .cache .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache \
	  .coverage .coverage.* htmlcov dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
