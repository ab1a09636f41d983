# Needs Python 3.11 to 3.13, its pip, and make. Another Python: make run PYTHON=python3.13

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=

.PHONY: help run install dev test check openapi bench bench-quick lock clean

help:
	@echo "make run      start everything on http://127.0.0.1:8000 (PORT=… for another port); Ctrl-C stops it"
	@echo "make install  set up .venv with the locked packages, and nothing else"
	@echo "make test     run the tests (PYTEST_ARGS=… goes to pytest)"
	@echo "make check    format, lint, types, imports, migrations, openapi.yml, deployment settings"
	@echo "make openapi  write openapi.yml anew"
	@echo "make bench    measure the API beside its floor (needs wrk); bench-quick does it in a minute"
	@echo "make lock     compile requirements/ from pyproject.toml anew"
	@echo "make clean    remove .venv and caches, never data"

# exec: make hands signals to the server itself, and no shell stands between.
run: install
	@WEBHOOK_ALLOW_PRIVATE_NETWORKS=$${WEBHOOK_ALLOW_PRIVATE_NETWORKS:-true} \
		exec $(BIN)/python manage.py serve --stop-with-parent

install: venv
	@$(call install_locked,base)

dev: venv
	@$(call install_locked,dev)

test: dev
	@exec $(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

# The settings of a deployment, so that its checks apply. No step here asks a database.
DEPLOYED = PUBLIC_URL=https://participants.example.org DATABASE_URL=postgresql://127.0.0.1:1/none \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))') \
	DATA_ENCRYPTION_KEYS=$$($(BIN)/python -c 'import base64, os; print(base64.b64encode(os.urandom(32)).decode())')

check: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@echo makemigrations --check --dry-run
	@$(DEPLOYED) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@echo spectacular --validate --fail-on-warn
	@$(DEPLOYED) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(VENV)/openapi.yml
	@diff -u openapi.yml $(VENV)/openapi.yml || { echo "openapi.yml is not current: make openapi"; exit 1; }
	@echo check --deploy
	@$(DEPLOYED) $(BIN)/python manage.py check --deploy --fail-level WARNING

openapi: dev
	@$(DEPLOYED) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file openapi.yml

bench: dev
	@exec $(BIN)/python -m benchmarks.api --chart docs/benchmark.svg

bench-quick: dev
	@exec $(BIN)/python -m benchmarks.api --quick

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" pyproject.toml

lock: dev
	$(COMPILE) --upgrade --output-file requirements/base.txt
	$(COMPILE) --upgrade --extra dev --constraint requirements/base.txt --output-file requirements/dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .schemathesis
	find . -name __pycache__ -not -path './.data/*' -prune -exec rm -rf {} +
	@$(PYTHON) -B -c 'from config.env import DATA_DIR; print("Data was left alone: %s" % DATA_DIR)'

# A file in .venv says which Python it is finished for: one that is half made, or for another, is made anew.
.PHONY: venv
venv:
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) was not found: set PYTHON, such as make run PYTHON=python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] < (3, 14) else \
		"Python 3.11 to 3.13 is needed, and $(PYTHON) is %d.%d: set PYTHON, such as make run PYTHON=python3.11" % v[:2])'
	@version=$$("$(PYTHON)" -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	if [ "$$(cat $(VENV)/made-for 2>/dev/null)" != "$$version" ] || ! $(BIN)/python -c '' 2>/dev/null; then \
		rm -rf $(VENV) && "$(PYTHON)" -m venv $(VENV) && echo "$$version" > $(VENV)/made-for; \
	fi

# Installs only when the locked set is another than the one that was installed last.
define install_locked
	cmp -s requirements/$(1).txt $(VENV)/$(1).txt || { \
		echo "Installing requirements/$(1).txt into $(VENV) ..." && \
		$(BIN)/python -m pip install -qq --no-input --disable-pip-version-check --only-binary :all: \
			--require-hashes -r requirements/$(1).txt && \
		cp requirements/$(1).txt $(VENV)/$(1).txt; \
	}
endef
