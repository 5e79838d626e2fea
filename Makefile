# Plumbline: every command a person or CI needs. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
# The template's runtime when this machine has it, else whatever runs the tests.
LAMBDA_PYTHON ?= $(shell for p in python3.13 $(PYTHON); do $$p -c 'import venv, ensurepip' >/dev/null 2>&1 && { command -v $$p; break; }; done)
VENV := .venv

export AWS_EC2_METADATA_DISABLED := true
export SAM_CLI_TELEMETRY := 0
export PYTHONDONTWRITEBYTECODE :=

# --- environments: one each, because their pins clash ---------------------------------------------
# A lock file is a full resolution with hashes; --no-deps makes pip install exactly it.
$(VENV)/lambda/.ready: PY = $(LAMBDA_PYTHON)
$(VENV)/%/.ready: requirements/%.txt
	@echo "  setting up $(VENV)/$* ($$(grep -c == $<) packages)"
	@rm -rf $(VENV)/$* && $(or $(PY),$(PYTHON)) -m venv $(VENV)/$*
	@$(VENV)/$*/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $< \
		2> $(VENV)/$*/install.log || { cat $(VENV)/$*/install.log >&2; exit 1; }
	@touch $@

.PHONY: setup
setup: $(VENV)/dev/.ready $(VENV)/sam/.ready $(VENV)/emulator/.ready $(VENV)/lambda/.ready ## set up every environment
