# Every recipe is POSIX sh and runs under GNU make 3.81 and later.
.POSIX:
.SUFFIXES:

# The newest Python that runs, or the one in $PYTHON, prepares .venv with the pinned requirements of the given sets.
prepare = python=$$(sh tools/find-python) && "$$python" tools/prepare.py

.PHONY: help demo test test-real check fix bench reference requirements clean

help: ## list the targets
	@sed -n 's/^\([a-z][a-z]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 22

demo: ## try the whole of it against a practice API on this machine
	@$(prepare) run
	@.venv/bin/callsheet demo

test: ## run the whole suite
	@$(prepare) dev
	@.venv/bin/python -m pytest -q -n $${WORKERS:-auto} --maxprocesses 8

test-real: ## run against servers that somebody else wrote, from PyPI and npm
	@$(prepare) real
	@sh tools/npm-servers
	@.venv/bin/python -m pytest -q tests/real

check: ## ruff, format, strict types, import layers; changes nothing
	@$(prepare) dev
	@failed=0; \
	.venv/bin/ruff check --quiet . || failed=1; \
	.venv/bin/ruff format --quiet --check . || failed=1; \
	.venv/bin/mypy --no-error-summary || failed=1; \
	.venv/bin/lint-imports --no-logo || failed=1; \
	exit $$failed

fix: ## let ruff repair and format what it can
	@$(prepare) dev
	@.venv/bin/ruff check --quiet --fix-only .
	@.venv/bin/ruff format --quiet .

bench: ## compare with bare requests, httpx2, aiohttp, pycurl and curl
	@$(prepare) bench
	@.venv/bin/python -m bench

reference: ## write the pages of docs/reference that are made from the code
	@$(prepare) dev
	@.venv/bin/python -m tools.api
	@.venv/bin/python tools/transport_errors.py

requirements: ## pin the newest versions in requirements/*.txt
	@$(prepare) pin
	@.venv/bin/python tools/pin.py

clean: ## remove .venv and everything that tools left behind
	@rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
