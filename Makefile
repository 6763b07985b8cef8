# Two commands set everything up: `make demo` to see it, `make test` to trust it. `make help` lists the rest.
PYTHON ?=
VENV   := .venv
DESK   := .venv-roundup
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --progress-bar off --no-compile
LOCK   := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links
APT    := DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends
# Hundreds of tests start the program: what is compiled once is not compiled again each time.
unexport PYTHONDONTWRITEBYTECODE
# command → the Debian package that brings it; what is missing makes its tests be skipped, never the run fail
TOOLS  := strace:strace systemd-nspawn:systemd-container chromium:chromium faketime:faketime /usr/sbin/dovecot:dovecot-imapd openssl:openssl

# A package that the rest of the run cannot do without: installed as root on Debian, else named with the one line to type.
as_root_on_debian = [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null

# The two environments, and the checks, are made side by side.
MAKEFLAGS += --jobs=2
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check style types layers pytest tools lock audit faults soak bench clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1 \t/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.run  ## set up what is missing, then show cgsync at work: a stand-in for CustomerGauge, exports, a help desk, the real daemon
	@$(BIN)/cgsync demo

test: pytest  ## set up what is missing, then run every check and every test

check: types style layers  ## style, types and layers, without the tests

types: $(VENV)/.dev
	$(BIN)/mypy

style: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

layers: $(VENV)/.dev
	$(BIN)/lint-imports

# Most tests wait more than they work. The campaigns that count on the time that they have come last, with little beside.
pytest: $(VENV)/.dev $(DESK)/.roundup | tools check
	$(BIN)/python -m pytest -q -n $$(($$(nproc) + 2)) --dist worksteal -m "not alone" $(ARGS)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m alone tests/faults $(ARGS)

faults: $(VENV)/.dev | tools  ## the fault campaigns with their large counts, some hours; the table goes to faults.md in the current folder
	@rm -f $(CURDIR)/faults.md
	CGSYNC_FAULTS=full CGSYNC_FAULTS_TABLE=$(CURDIR)/faults.md $(BIN)/python -m pytest -q -s tests/faults tests/e2e/test_export.py tests/e2e/test_mail.py tests/e2e/test_mail_large.py tests/plugins/rest/test_rest_matrix.py $(ARGS)

soak: $(VENV)/.dev  ## half an hour of the real daemon with a fault each ten seconds: nothing may be lost, nothing may grow
	$(BIN)/python tests/faults/soak.py 30

bench: $(VENV)/.dev  ## measure speed and memory on this machine
	@for each in startup stop pace whole_path unchanged rest_source mail mail_idle memory; do $(BIN)/python tests/bench/$$each.py || exit 1; done

lock: $(VENV)/.dev  ## write requirements/*.txt anew from pyproject.toml
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) --group build -o requirements/build.txt
	$(LOCK) pyproject.toml --group build --group dev -o requirements/dev.txt
	$(LOCK) --group roundup -o requirements/roundup.txt

audit: $(VENV)/.dev  ## ask for known vulnerabilities in what is locked
	$(BIN)/uv tool run pip-audit --strict --require-hashes --disable-pip -r requirements/run.txt

clean:  ## remove the environment and the caches
	rm -rf $(VENV) $(DESK) .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache dist

# The environment holds exactly what is locked; the stamps make the second run quick.
$(VENV)/.run: requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo "Installing what cgsync needs into $(VENV), once."
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --require-hashes -r requirements/build.txt
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	@echo "Installing what the tests need into $(VENV), once."
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

# A ticket system that the tests read from; it is no part of cgsync and shares nothing with it.
$(DESK)/.roundup: requirements/roundup.txt | $(BIN)/python
	@echo "Installing Roundup for the tests into $(DESK), once."
	@$(BIN)/python -m venv --clear $(DESK)
	@$(subst $(BIN),$(DESK)/bin,$(PIP)) --require-hashes -r requirements/roundup.txt
	@touch $@

# Both are named because Debian's python3 without python3-venv leaves half an environment: a python without pip.
$(BIN)/python $(BIN)/pip &:
	@python="$(PYTHON)"; \
	recent() { "$$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }; \
	for each in python3 python3.14 python3.13 python3.12 python3.11; do \
	  [ -n "$$python" ] || ! recent $$each || python=$$each; done; \
	[ -n "$$python" ] && recent "$$python" || { \
	  echo "cgsync needs Python 3.11 or newer. Here $${python:-python3} is: $$("$${python:-python3}" --version 2>&1)" >&2; \
	  echo "Name another one: make $(or $(MAKECMDGOALS),demo) PYTHON=/path/to/python3.12" >&2; exit 1; }; \
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { \
	  if $(as_root_on_debian); then echo "Installing python3-venv."; apt-get update -qq && $(APT) python3-venv >/dev/null; \
	  else echo "Python's venv module is missing. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; fi; }; \
	echo "Making $(VENV) with $$("$$python" --version)."; \
	"$$python" -m venv --clear $(VENV)

tools:
	@missing=; for each in $(TOOLS); do command -v $${each%%:*} >/dev/null || missing="$$missing $${each#*:}"; done; \
	[ -n "$$missing" ] || exit 0; \
	if $(as_root_on_debian); then echo "Installing for the tests:$$missing"; \
	  { apt-get update -qq && $(APT) $$missing >/dev/null; } || echo "Could not install:$$missing; tests that need them are skipped." >&2; \
	else echo "Tests that need these are skipped; to run them: sudo apt-get install$$missing" >&2; fi
