# Works with GNU make 3.81 (macOS) and later. Settings go on the command line or in the environment:
#   make serve PORT=9000        make test PYTEST_ARGS="-k store"        make serve PYTHON=python3.13
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV ?= .venv
IMAGE ?= ordinate
PYTEST_ARGS ?=
LOCK_ARGS ?=
BENCH_ARGS ?=
CERTS_ARGS ?=

BIN := $(VENV)/bin
RUNTIME := $(VENV)/runtime.stamp
DEV := $(VENV)/dev.stamp
COMPILED := $(VENV)/compiled.stamp
TLS := .venv-tls/bin/sslyze
FUZZ := .venv-fuzz/fuzz.stamp
# No source builds: they would fetch build tools that no hash covers.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	--only-binary :all:
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --custom-compile-command 'make lock' $(LOCK_ARGS)

.PHONY: help serve certs test soak tls-check format lock sbom audit image bench bench-quick bench-micro clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

serve: $(RUNTIME) $(COMPILED) ## set up, train if there is no model, serve on HOST:PORT
	@set -- "$${ORDINATE_MODELS:-models}"/*/*/manifest.json; [ -e "$$1" ] || $(BIN)/python train.py
	@case '$(HOST)' in *:*) host='[$(HOST)]' ;; *) host='$(HOST)' ;; esac; \
		url="http$${ORDINATE_TLS_CERT:+s}://$$host:$(PORT)"; \
		echo "POST {\"x\": [...]} to $$url/predict; $$url/ shows a line to paste"
	@HOST='$(HOST)' PORT='$(PORT)' exec $(BIN)/gunicorn wsgi:app

certs: $(RUNTIME) ## make certificates for development in certs/, for TLS
	@$(BIN)/flask --app wsgi certs new $(CERTS_ARGS)

# What Python compiles is kept for the many processes, wherever that is switched off.
test: $(DEV) $(COMPILED) ## set up, run everything that CI runs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

# SOAK_ARGS="nemesis quotas" runs those alone.
soak: $(DEV) $(COMPILED) $(FUZZ) ## loads, swaps, kills, wrong promotions counted, everything fuzzed (two hours)
	$(BIN)/python -m tests.soak $(SOAK_ARGS)

# sslyze gets an environment of its own, in .venv-tls; testssl.sh is used where it is installed. There
# is no wheel of sslyze.
tls-check: $(DEV) $(COMPILED) $(TLS) ## hold TLS against Mozilla's profile and testssl.sh (3 minutes)
	$(BIN)/python -m tests.soak.tls $(TLS)

format: $(DEV) ## format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: $(DEV) ## compile requirements*.in; LOCK_ARGS=--upgrade moves every version
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements-dev.in --output-file requirements-dev.txt
	$(COMPILE) requirements-build.in --output-file requirements-build.txt
	$(COMPILE) requirements-fuzz.in --output-file requirements-fuzz.txt
	for file in benchmarks/peers/*.in tests/soak/sslyze.in; do \
		$(COMPILE) "$$file" --output-file "$${file%.in}.txt" || exit 1; done

sbom: $(DEV) ## write the bill of materials to sbom.json (CycloneDX)
	$(BIN)/python -m supply.sbom sbom.json

# --strict: a package that could not be looked up is a failure, not a pass.
audit: $(DEV) ## ask PyPI for known vulnerabilities of all that is locked (needs the network)
	for file in requirements.txt requirements-build.txt requirements-dev.txt; do \
		$(BIN)/pip-audit --strict --require-hashes --disable-pip --requirement "$$file" || exit 1; done

# BUILDAH_FORMAT is for podman, whose own format has no HEALTHCHECK.
image: ## build the image with podman or docker
	@engine=$$(command -v podman || command -v docker) || \
		{ echo "error: neither podman nor docker is installed" >&2; exit 1; }; \
	BUILDAH_FORMAT=docker "$$engine" build --tag $(IMAGE) \
		--build-arg REVISION="$$(git rev-parse HEAD 2>/dev/null || echo unknown)" .

# The peers get environments of their own, in .venv-bench. BENCH_ARGS="--table FILE --target COLUMN" takes a
# table of yours in place of the synthetic one; `python -m benchmarks --help` shows the rest.
bench: $(RUNTIME) $(COMPILED) ## compare with all peers, write docs/benchmarks.md (20 minutes)
	$(BIN)/python -m benchmarks --write $(BENCH_ARGS)

bench-quick: $(RUNTIME) $(COMPILED) ## compare with FastAPI alone (two minutes)
	$(BIN)/python -m benchmarks --quick $(BENCH_ARGS)

bench-micro: $(RUNTIME) $(COMPILED) ## time decode, check, predict, encode and telemetry by themselves
	$(BIN)/python -m benchmarks.micro $(BENCH_ARGS)

clean: ## remove what was installed and cached; models stay
	rm -rf $(VENV) .venv-bench .venv-fuzz .venv-tls .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis
	find app tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# A stamp is written last, so that an interrupted set-up is begun anew instead of believed. It hangs
# on the interpreter as well: when that was upgraded or removed, the environment is built again.
$(RUNTIME): requirements.txt $(BIN)/python
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "error: Ordinate needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1)." \
		       "Name another: make PYTHON=python3.13 ..." >&2; exit 1; }
	@[ ! -L $(VENV) ] || { echo "error: $(VENV) is a link, and setting it up would empty what it leads to:" \
		"remove the link, or name another folder: make VENV=..." >&2; exit 1; }
	@echo "Setting up $(VENV) from requirements.txt ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(INSTALL) -r requirements.txt
	@touch $@

# Without a compiler it says so, and that everything works all the same.
$(COMPILED): app/compiled/rows.c app/compiled/buckets.c app/compiled/library.py $(RUNTIME)
	@$(BIN)/python -m app.compiled >/dev/null || [ $$? -eq 3 ]
	@touch $@

# The fuzzer has an environment of its own: it is for some Pythons and platforms only.
$(FUZZ): requirements-fuzz.txt
	@echo "Setting up .venv-fuzz from requirements-fuzz.txt ..."
	@$(PYTHON) -m venv --clear .venv-fuzz
	@.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--only-binary :all: -r requirements-fuzz.txt
	@touch $@

$(DEV): requirements-dev.txt $(RUNTIME)
	@echo "Adding requirements-dev.txt to $(VENV) ..."
	@$(INSTALL) -r requirements-dev.txt
	@touch $@

$(TLS): tests/soak/sslyze.txt
	@echo "Setting up .venv-tls from tests/soak/sslyze.txt ..."
	@$(PYTHON) -m venv --clear .venv-tls
	@.venv-tls/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--only-binary :all: --no-binary sslyze -r tests/soak/sslyze.txt
	@touch $@

$(BIN)/python:
