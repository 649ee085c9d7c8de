# `make run` and `make test` set up what they need by themselves. `make check` is the fast gate before a commit.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := VIRTUAL_ENV=$(VENV) $(BIN)/uv pip
NPM := npm --prefix web_client --no-audit --no-fund --no-update-notifier
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
BUILT := web_client/node_modules/.built
DEBIAN := chromium firefox-esr coturn ffmpeg sox pocketsphinx-testdata iproute2 openssl softhsm2 fonts-noto-cjk
export UV_NO_PROGRESS ?= 1

run: $(VENV)/run.stamp $(BUILT)  ## set up and start the whole system with a demo visit; more words in ARGS="--port 8081"
	@exec $(BIN)/teleconsult serve --demo $(ARGS)

test: $(VENV)/dev.stamp $(BUILT) debian  ## set up and run every test
	$(NPM) test
	$(BIN)/pytest -n 2 --dist loadfile tests

check: $(VENV)/dev.stamp $(BUILT)  ## format, lint, types, arrows, unit tests: under a minute
	$(BIN)/ruff format --check && $(BIN)/ruff check && $(BIN)/mypy && $(BIN)/lint-imports --no-cache
	$(NPM) run check
	$(BIN)/pytest -q tests/unit -m 'not slow'

build: $(BUILT)  ## build the pages

install: $(VENV)/run.stamp $(BUILT)  ## set up what `teleconsult serve` needs, and start nothing

bench: $(VENV)/dev.stamp $(BUILT)  ## what forwarding costs, what people wait for, what weak networks leave of a visit: an hour and more
	$(BIN)/python -m tests.bench forwarding
	$(BIN)/python -m tests.bench visits
	$(BIN)/python -m tests.bench weak_network

soak: $(VENV)/run.stamp $(BUILT)  ## one hour of synthetic visit against URL=http://127.0.0.1:8080
	$(BIN)/teleconsult probe $(or $(URL),http://127.0.0.1:8080) --seconds 3600 $(ARGS)

lock:  ## resolve the lock files anew
	.ci/lock $(BIN)/uv

clean:  ## remove what `make` made; recordings in data/ stay
	rm -rf $(VENV) web_client/node_modules web_client/dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

help:
	@sed -n 's/^\([a-z]*\):.*## /make \1	/p' Makefile

$(BIN)/uv: requirements-uv.lock
	@.ci/need python "$(PYTHON)"
	@test -e web_client/dist || .ci/need node
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --require-hashes -r requirements-uv.lock && touch $@

$(VENV)/run.stamp: requirements.lock pyproject.toml $(BIN)/uv
	@rm -f $(VENV)/dev.stamp
	@$(UV) sync -q --require-hashes requirements.lock
	@$(UV) install -q --no-deps --no-build-isolation -e . && touch $@

$(VENV)/dev.stamp: requirements-dev.lock requirements.lock pyproject.toml $(BIN)/uv
	@$(UV) sync -q --require-hashes requirements-dev.lock
	@$(UV) install -q --no-deps --no-build-isolation -e . && touch $(VENV)/run.stamp $@

web_client/node_modules/.stamp: web_client/package-lock.json
	@.ci/need node
	@$(NPM) ci --silent && touch $@

$(BUILT): web_client/node_modules/.stamp $(shell find web_client -type d \( -name node_modules -o -name dist -o -name tests \) -prune -o -type f -print)
	@$(NPM) run build --silent && touch $@

debian:
	@.ci/need packages "$(SUDO)" $(DEBIAN)

.PHONY: run test install check build bench soak lock clean help debian
