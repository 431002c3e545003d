# make try    set up and review the shipped example cases
# make test   set up and run every test
# make check  what CI runs: tests, linters, types, layers, the rulebook
# make fix    let the formatter and the linter put right what they can
# make bench  speed and memory on this machine
# make eval   the figures of the README
# make attack what disguises and injections do
# make torture  kill workers a thousand times
# make models AMICUS_DATA=DIR  train everything that ships again, and compare
# make lock   resolve the pinned dependencies anew (needs uv)

PYTHON ?= python3
BIN := .venv/bin
TRY := .try
EXAMPLES := docs/examples
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL = $(PIP) install --require-hashes -r $(1) && $(PIP) install --no-deps --no-build-isolation -e .

.PHONY: try test check fix bench lock eval attack planted torture models types lint layers rules

try: .venv/run.stamp
	@mkdir -p $(TRY)
	@AMICUS_HOME=$(TRY) $(BIN)/amicus accounts import $(EXAMPLES)/accounts.jsonl > $(TRY)/setup.log
	@AMICUS_HOME=$(TRY) $(BIN)/amicus urls import $(EXAMPLES)/blocklist.txt >> $(TRY)/setup.log
	@AMICUS_HOME=$(TRY) $(BIN)/amicus precedents add $(EXAMPLES)/precedents.jsonl >> $(TRY)/setup.log
	@AMICUS_HOME=$(TRY) $(BIN)/amicus review --file $(EXAMPLES)/cases.jsonl --full --reveal

test: .venv/dev.stamp
	$(BIN)/python -m pytest -n auto --dist loadfile

check: test lint types layers rules

layers: .venv/dev.stamp
	$(BIN)/lint-imports

rules: .venv/dev.stamp
	$(BIN)/amicus policy lint

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev.stamp
	$(BIN)/mypy .

fix: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/dev.stamp
	$(BIN)/python -m evals.bench
	$(BIN)/python -m evals.bench_docket
	$(BIN)/python -m triage.bench

eval: .venv/run.stamp
	$(BIN)/amicus eval run --golden evals/sets/golden.jsonl --accounts evals/sets/accounts.jsonl \
	  --by "" --fresh --out $(TRY)/golden | $(BIN)/python -m evals.readme
	$(BIN)/python -m evals.settings_table

# Every disguise with every injection, on a sample of the golden set.
attack: .venv/run.stamp
	$(BIN)/amicus eval attack --golden evals/sets/golden.jsonl --out $(TRY)/attack --seed 1 --attempts 1000

# Known edits of the shipped rulebook: are those that change the meaning reported, and no others?
planted: .venv/run.stamp
	@mkdir -p $(TRY)
	$(BIN)/python -m evals.wording.planted --near 30 --repeats 2 --out $(TRY)/planted.json

# A thousand kills of workers and of intake, on SQLite and on PostgreSQL where it is installed.
torture: .venv/dev.stamp
	$(BIN)/python -m tests.torture --kills 1000
	$(BIN)/python -m tests.torture --kills 1000 --postgres

# Everything that ships, made again from the labelled data in AMICUS_DATA; needs torch for the reader.
models: .venv/dev.stamp
	$(BIN)/python -m training.models --data "$(AMICUS_DATA)"

lock:
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-strip-extras --python-version 3.11 \
	  --no-header --quiet pyproject.toml --extra build -o requirements.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-strip-extras --python-version 3.11 \
	  --no-header --quiet pyproject.toml --extra build --extra dev -c requirements.lock -o requirements-dev.lock

# The stamps hold the hash of what was installed, so that a changed lock is noticed and nothing
# is installed twice; the environment for development holds the one for use as well.
.venv/run.stamp: requirements.lock pyproject.toml | .venv/bin/python
	@test -f .venv/dev.stamp -a .venv/dev.stamp -nt requirements.lock || \
	  { echo "Setting up .venv (once; one to three minutes) …"; $(call INSTALL,requirements.lock); }
	@touch $@

.venv/dev.stamp: requirements-dev.lock pyproject.toml | .venv/bin/python
	@echo "Setting up .venv for development (once; one to three minutes) …"
	@$(call INSTALL,requirements-dev.lock)
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Amicus needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv
