# Each target sets up all that it needs in .venv; a second call starts in seconds.
.DEFAULT_GOAL := help
.PHONY: help run test lint format benchmark clean

BIN := .venv/bin
SOURCES := requirements.txt requirements-dev.txt pyproject.toml

help: ## Say what there is to make
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1	/'

run: .venv/runtime.stamp ## Start the app and open it in the browser
	$(BIN)/streamlit run streamlit_app.py

# In the order that tests/conftest.py gives.
test: .venv/development.stamp ## Run all tests, those in a real browser too
	@scripts/find_browser.sh > .venv/browser.txt
	DIGITLAB_BROWSER="$$(cat .venv/browser.txt)" $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: .venv/development.stamp ## Check style and likely mistakes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/development.stamp ## Put the code into its usual form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: .venv/development.stamp ## Measure accuracy, calibration, refusals and speed
	$(BIN)/digitlab benchmark

clean: ## Remove the environment and caches
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis build src/*.egg-info

.venv/runtime.stamp: requirements.txt pyproject.toml
	@scripts/make_environment.sh
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/development.stamp: $(SOURCES)
	@scripts/make_environment.sh
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/runtime.stamp $@
