# Plumbline: every command a person or CI needs. `make help` lists them.
# Works with GNU make 3.81, which is what macOS brings: no .ONESHELL, no .SHELLFLAGS, and each recipe line stops by itself.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Runs tests, demo, preview and bench; what `sam build` takes is in layers/plumbline/find_python.sh.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do $$p -c '$(FITS)' >/dev/null 2>&1 && { echo $$p; break; }; done)
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
VENV := .venv
DEV := $(VENV)/dev/bin
# The template's runtime where this machine has it, else whatever runs the tests.
LAMBDA_PYTHON ?= $(shell for p in python3.13 "$(PYTHON)"; do "$$p" -c 'import venv, ensurepip' >/dev/null 2>&1 && { echo $$p; break; }; done)

export AWS_EC2_METADATA_DISABLED := true
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environments: one each, because their pins clash -------------------------------------------------------------
# A lock file is a whole resolution with hashes; --no-deps makes pip install exactly it.
$(VENV)/%/.ready: requirements/%.txt
	@"$(if $(filter lambda,$*),$(LAMBDA_PYTHON),$(PYTHON))" -c '$(FITS)' 2>/dev/null \
		|| { echo "This takes Python 3.11 or newer with venv and ensurepip: $(if $(PYTHON),$(PYTHON) is none,none was found);" \
			"say which with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "  setting up $(VENV)/$* ($$(grep -c '^[a-z].*==' $<) packages)"
	@rm -rf $(VENV)/$*
	@"$(if $(filter lambda,$*),$(LAMBDA_PYTHON),$(PYTHON))" -m venv $(VENV)/$*
	@$(VENV)/$*/bin/python -m pip install --quiet --no-deps --require-hashes -r $< > $(VENV)/$*/install.log 2>&1 \
		|| { cat $(VENV)/$*/install.log >&2; exit 1; }
	@touch $@

LOCAL := $(VENV)/dev/.ready $(VENV)/sam/.ready $(VENV)/emulator/.ready $(VENV)/lambda/.ready

.PHONY: setup
setup: $(LOCAL) ## set up every environment that demo and test need

# --- see it, prove it ---------------------------------------------------------------------------------------------
.PHONY: demo
demo: $(LOCAL) ## the whole story on this machine: no AWS account, no Docker (KEEP=1 leaves it running; REGION= its home)
	@$(DEV)/python -m local.demo $(if $(KEEP),--keep) $(if $(REGION),--region "$(REGION)")

.PHONY: first-hour
first-hour: $(LOCAL) ## play docs/first-hour.md on this machine and keep what came; then make sync draws it
	@$(DEV)/python -m local.first_hour

.PHONY: test
test: $(LOCAL) ## every test, end to end included; three at a time on two cores, for many of them wait
	@$(DEV)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder $(ARGS)

.PHONY: laws
laws: $(VENV)/dev/.ready ## what every control must keep, for one: make laws CONTROL=s3-public-acl
	@test -n "$(CONTROL)" || { echo "Say which control: make laws CONTROL=s3-public-acl" >&2; exit 1; }
	@test -n "$(wildcard layers/plumbline/plumbline/controls/*/$(subst -,_,$(CONTROL)).py)" \
		|| { echo "There is no control $(CONTROL): no file layers/plumbline/plumbline/controls/*/$(subst -,_,$(CONTROL)).py" >&2; exit 1; }
	@$(DEV)/python -m pytest -q --tb=short tests/laws $(wildcard tests/controls/*/test_$(subst -,_,$(CONTROL)).py) -k "$(CONTROL) or $(subst -,_,$(CONTROL))"

.PHONY: simulate
simulate: $(VENV)/dev/.ready ## random histories of a model account: SEEDS=10000, or SEED=123 to replay one
	@PYTHONPATH=layers/plumbline $(DEV)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) --jobs 2)

.PHONY: sizes
sizes: $(VENV)/dev/.ready $(VENV)/sam/.ready ## how full AWS's policies, roles and rules are; CONTROLS=70 for so many controls
	@PYTHONPATH=layers/plumbline $(DEV)/python -m tests.generating.sizes $(CONTROLS)

.PHONY: guard-scp
guard-scp: $(VENV)/dev/.ready ## the guard as a policy of your organisation: STACK=name, FILE=baseline.yaml
	@PYTHONPATH=layers/plumbline $(DEV)/python -m deploy.scp $(or $(FILE),baseline.yaml) --stack $(or $(STACK),plumbline)

.PHONY: check
check: $(LOCAL) ## format, lint, types, templates: what CI runs beside the tests
	$(DEV)/ruff format --check .
	$(DEV)/ruff check .
	$(DEV)/mypy
	$(VENV)/sam/bin/sam validate --lint --region us-east-1

# Any Python that has PyYAML and jsonschema will do; where none has, the few packages that `sam build` checks with.
CHECKER := .aws-sam/build-python
.PHONY: baseline
baseline: ## check baseline.yaml alone, in a second: FILE=other.yaml for another
	@for python in $(DEV)/python "$(PYTHON)" $(CHECKER)/bin/python ""; do \
		"$$python" -c 'import sys, jsonschema, yaml; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && break; done; \
	test -n "$$python" || python=$$(cd layers/plumbline && sh find_python.sh "../../$(CHECKER)") || exit 1; \
	PYTHONPATH=layers/plumbline "$$python" -m plumbline.baseline.compiler "$(or $(FILE),baseline.yaml)"

.PHONY: fix
fix: $(VENV)/dev/.ready ## format, and mend what the linter can mend
	$(DEV)/ruff format .
	$(DEV)/ruff check --fix .

.PHONY: sync
sync: $(VENV)/dev/.ready ## rewrite what follows from the controls: template blocks, docs, baseline.schema.json
	@$(DEV)/python -m pytest -q --sync tests/test_generated.py

.PHONY: ledger
ledger: $(DEV)/.ready ## measure every command, settle, sweep, digest and week on a ledger of 20,000 open findings
	@PYTHONPATH=layers/plumbline $(DEV)/python -m bench.ledger $(ARGS)

.PHONY: bench
bench: $(LOCAL) $(VENV)/bench/.ready ## measure cold start, calls and size, beside their floors and a peer
	@$(DEV)/python -m bench $(ARGS)

.PHONY: sweeps
sweeps: $(LOCAL) $(VENV)/bench/.ready $(VENV)/prowler/.ready ## measure whole sweeps of large accounts beside Prowler and Cloud Custodian: up to an hour
	@$(DEV)/python -m bench.sweep $(ARGS)

# --- a real account -----------------------------------------------------------------------------------------------
.PHONY: preview
preview: $(VENV)/dev/.ready ## what a sweep of your own account would find; read-only, deploys nothing
	@PYTHONPATH=layers/plumbline $(DEV)/python -m preview $(ARGS)

.PHONY: roster
roster: $(VENV)/dev/.ready ## write your users into baseline.yaml, as they are in the account: ARGS=--print only shows them
	@PYTHONPATH=layers/plumbline $(DEV)/python -m preview.roster $(ARGS)

.PHONY: deploy
deploy: $(VENV)/sam/.ready ## deploy into your own account: make deploy EMAIL=you@example.com
	@PATH="$(CURDIR)/$(VENV)/sam/bin:$$PATH" PYTHONPATH=layers/plumbline $(VENV)/sam/bin/python -m deploy \
		--email "$$EMAIL" --trail "$$TRAIL" --parameters "$$PARAMETERS" --stack "$$STACK" $(ARGS)

.PHONY: lock
lock: ## resolve requirements/*.in anew (needs uv)
	@for in in requirements/*.in layers/plumbline/*.in; do \
		case "$$in" in *requirements-build.in) oldest=3.10 ;; *) oldest=3.11 ;; esac; \
		uv pip compile -q --universal --python-version $$oldest --generate-hashes --no-annotate --no-header \
			--no-emit-index-url "$$in" -o "$${in%.in}.txt" || exit 1; done

.PHONY: clean
clean: ## remove everything that can be made again
	rm -rf $(VENV) .aws-sam .plumbline .pytest_cache .mypy_cache .ruff_cache .hypothesis
