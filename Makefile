# Everyday commands. `make help` lists them; everything is kept in .venv, node_modules and instance.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev assets demo demo-reset test quick check format lock migration peers matrix consent linkage faults soak hostile classes forged timing fuzz spoiled otherwise pictures bench tamper walls door sbom vulnerabilities asvs

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/pip:  # made last, so that one that was broken off is made anew
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) -V). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv"; rm -rf $(VENV); exit 1; }

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/pip
	@echo "Installing the locked packages into $(VENV) …"
	@$(BIN)/pip install --quiet --require-hashes -r requirements.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/pip
	@echo "Installing the locked packages and the tools for testing into $(VENV) …"
	@$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

setup: $(VENV)/.run  ## everything that running the portal needs: locked packages in .venv, style sheet and script
	@$(BIN)/python -m portal.assets

setup-dev: $(VENV)/.dev
assets: setup

demo: setup  ## start the portal, the worker and a synthetic clinic on this machine (FAULT=down|slow|flaky breaks the clinic)
	@$(BIN)/portal demo $(if $(FAULT),--fault $(FAULT))

demo-reset: setup  ## throw the demo's data away
	@$(BIN)/portal demo-reset

test: setup-dev assets  ## every test: units, house rules, both databases where present, journeys in Chromium
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -rs --durations=40

quick: setup-dev assets  ## the tests without browser and without what is marked slow
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not journey and not slow"

check: setup-dev  ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup-dev  ## put the code into the common form
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock:  ## work out the locked packages again (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group build pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev --group build -c requirements.lock pyproject.toml -o requirements-dev.lock

migration: setup-dev  ## write the step from the stored schema to the models: make migration NAME="add visits"
	@$(BIN)/python -m portal.migrations.write "$(NAME)"

peers: setup-dev assets  ## the client and delivery on servers nobody here wrote (HAPI FHIR, Medplum, SEKMET), with enforced scopes: what passes, what we do another way (needs Java 17, Maven, Node.js 20; PREVISIT_PEERS=medplum,hapi chooses)
	@$(BIN)/python -m tests.peers

matrix: setup-dev assets  ## the SMART client against a hostile server, row by row
	@$(BIN)/python -m tests.ehr.matrix

faults: setup-dev assets  ## kill the worker at 12 points on every database there is, then run four workers each without one precaution: all must be noticed (45 minutes)
	@$(BIN)/python -m tests.delivery.kill --runs 50

hostile: setup-dev assets  ## the hostile tests at full length: every visitor and language in Chromium, every pair in the replays, long walks
	@PREVISIT_HOSTILE_WHOLE=1 $(BIN)/python -m pytest -q tests/hostile -s --timeout=3000

classes: setup-dev  ## classes of weakness, the advisories of each (OpenEMR's of 2026 among them), and the tests that would find it here
	@$(BIN)/python -m tests.hostile.classes

forged: setup-dev assets  ## 20,000 forged proofs of who somebody is, bad ways back, the errors of the public SMART launcher (2 minutes)
	@PREVISIT_HOSTILE_WHOLE=1 $(BIN)/python -m pytest -q tests/hostile/test_forged_sign_ins.py -s

timing: setup-dev assets  ## whether the clock tells what is there or who is known: 200 pairs at every address, 500 guesses (10 minutes)
	@PREVISIT_HOSTILE_WHOLE=1 $(BIN)/python -m pytest -q tests/hostile/test_timing.py -s --timeout=3000

fuzz: setup-dev assets  ## 100,000 requests that nobody meant, as everybody (25 minutes)
	@$(BIN)/python -m tests.hostile.fuzzing

spoiled: setup-dev  ## 20,000 forms, responses and Parameters spoiled at JSON level, through everything a form is used for (8 minutes)
	@$(BIN)/python -m tests.questionnaire.mutating 20000

otherwise: setup-dev  ## every public form (PORTAL_CORPUS) said and filled in otherwise: other names, order, depth, pages; the outcome must be the same (8 minutes)
	@PREVISIT_WHOLE=1 $(BIN)/python -m pytest -q tests/questionnaire/test_said_otherwise.py --timeout=3000

soak: setup-dev assets  ## 10,000 deliveries through a proxy that loses, delays, doubles and garbles, with a three-day outage, counted at the clinic
	@$(BIN)/python -m tests.delivery.soak

consent: setup-dev assets  ## the statement about consent, counted: 60 vectors, 100,000 random consents beside the reference, every way out (2 minutes)
	@$(BIN)/python -m tests.consent

door: setup-dev assets  ## ask the door 500 times about somebody who is there and somebody who is not: can the time tell? (10 minutes)
	@$(BIN)/python -m tests.accounts.same_for_all

linkage: setup-dev  ## how matching does on the FEBRL sets (FEBRL=their folder; without it, how to get them): precision, recall, the share for a person
	@FEBRL="$(FEBRL)" $(BIN)/python -m tests.review.figures

pictures: setup-dev assets  ## take the README's pictures and one of each page, phone and desktop, into pictures/
	@$(BIN)/python -m tests.pictures
	@$(BIN)/python -m tests.intake.pictures

bench: setup-dev assets  ## speed as ratios in one run, beside fhirpath.js, fhirpathpy, sdc-populate and LHC-Forms where Node is present
	@$(BIN)/python -m tests.bench

tamper: setup-dev  ## 1,000 mutations of an audit trail, all must be found; a million entries verified
	@$(BIN)/python -m tests.audit.mutations --count 1000 --events 1000000

walls: setup-dev assets  ## the wall between clinics in PostgreSQL, as everybody, and the canaries on both databases (needs PREVISIT_TEST_POSTGRES)
	@PREVISIT_WHOLE=1 $(BIN)/python -m pytest tests/trust/test_walls.py tests/trust/test_canaries.py tests/trust/test_drill.py

sbom: setup  ## what Previsit is made of, by the lock files, in CycloneDX: previsit.cdx.json
	@$(BIN)/python -m portal.keeping.packages > previsit.cdx.json && echo "Wrote previsit.cdx.json"

vulnerabilities: setup  ## ask what is known about the locked packages by pip-audit and npm (needs a network); says what could not be asked
	@$(BIN)/python -m portal.keeping.known

asvs: setup-dev  ## how it stands against OWASP ASVS 5.0, levels 1 and 2; fails when a test that is named is not there
	@$(BIN)/python -m tests.trust.asvs
