# Two commands set everything up: `make demo` to see it, `make test` to trust it.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOCK   := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links

.PHONY: lock
lock:  ## write requirements/*.txt anew from pyproject.toml
	$(LOCK) pyproject.toml -o requirements/run.txt
	$(LOCK) --group build -o requirements/build.txt
	$(LOCK) pyproject.toml --group build --group dev -o requirements/dev.txt
