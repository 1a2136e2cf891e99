# Two commands for a newcomer: `make run` and `make test`. Needs only Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# A file's tests stay together: they share its broker. Most of their time is waiting, hence more workers than cores.
# In the order of tests/conftest.py: xdist would begin with the files of many tests, which are the short ones.
PARALLEL ?= -n 6 --dist loadfile --no-loadscope-reorder
REPORT ?= var/demo/report.json
BENCH  := .venv-bench

.PHONY: run test test-all test-wheel demo bench bench-full $(BENCH)-compiled records lint types fmt lock clean

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "the hub needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(STAMP)

run: $(STAMP)
	$(BIN)/hub demo --report $(REPORT)

demo: $(STAMP)
	$(BIN)/hub demo --once --report $(REPORT)

test: $(STAMP)
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow and not browser"

test-all: $(STAMP)
	$(BIN)/python -m pytest $(PARALLEL)

# The tests of whole processes, each process from a compiled wheel that is built for it; TESTS=… runs others so.
TESTS ?= tests/e2e tests/chaos/test_whole_hub.py
test-wheel: $(STAMP)
	$(BIN)/python -m tests.support.wheel $(PARALLEL) $(TESTS)

# Benchmarks have an environment of their own: the peers want other versions of what the hub is pinned to.
$(BENCH)/.installed: requirements/bench.txt pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install --quiet --require-hashes -r requirements/bench.txt
	$(BENCH)/bin/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# The hub's row runs from the compiled wheel, built anew; where there is no compiler it is plain, and the table says so.
$(BENCH)-compiled: $(STAMP) $(BENCH)/.installed
	rm -rf $@
	HUB_BUILD=auto $(BIN)/python -m build --wheel --no-isolation --outdir $@/dist . >/dev/null
	$(BENCH)/bin/pip install --quiet --no-deps --target $@ $@/dist/*.whl

bench: $(BENCH)-compiled
	$(BENCH)/bin/python -m tests.bench

bench-full: $(BENCH)-compiled
	$(BENCH)/bin/python -m tests.bench --full

# The typed records and their Avro functions, from schemas/ (docs/wire.md); the repository holds what it makes.
records: $(STAMP)
	$(BIN)/python -m hub.avro.generate

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo

fmt: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(STAMP)
	$(BIN)/mypy

# Resolves anew; needs uv. The files hold hashes and no index address.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements/hub.in -o requirements/hub.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -c requirements/hub.txt requirements/dev.in -o requirements/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q requirements/bench.in -o requirements/bench.txt

clean:
	rm -rf $(VENV) $(BENCH) $(BENCH)-compiled build dist *.egg-info
