# make lab: the four scripts in the lab's order.   make test: every check.   Both install first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help lab gpu-lab gpu-check test test-workers fuzz format clean distclean

help:
	@echo "make lab        run the four scripts in the lab's order"
	@echo "make gpu-lab    the same on an NVIDIA GPU, in float16; docs/gpu.md says how to get one"
	@echo "make gpu-check  compare GPU and CPU, and measure: gpu-check.json"
	@echo "make test       check style, types and imports, and run the tests"
	@echo "make fuzz       damaged files for every reader, a million each: hours"
	@echo "make test-workers  more tests of several workers: minutes"
	@echo "make format     lay out the code"
	@echo "make clean      remove the stored features in cache/"
	@echo "make distclean  remove them and the virtual environment"

lab: $(VENV)/lab
	$(BIN)/python -m lab

gpu-lab: $(VENV)/gpu
	$(BIN)/python -m lab.gpu
	$(BIN)/python -m lab --precision float16

gpu-check: $(VENV)/gpu
	$(BIN)/python -m lab.gpu
	$(BIN)/python benchmarks/gpu_check.py

# Two processes of tests share the cores: threads of a third library only wait for each other.
test: export OPENBLAS_NUM_THREADS := 1
test: $(VENV)/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/python -m pytest

fuzz: $(VENV)/fuzz
	$(BIN)/python benchmarks/fuzz.py

test-workers: $(VENV)/test
	$(BIN)/python -m pytest -m workers -n 0

format: $(VENV)/test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What LAB_CACHE names may be any folder, with more in it than features.
clean:
	rm -rf cache
	@test -z "$(LAB_CACHE)" || echo "LAB_CACHE=$(LAB_CACHE) is left: remove it yourself"

distclean: clean
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else \
	"expected Python 3.11 to 3.13; received %d.%d: make PYTHON=python3.12" % sys.version_info[:2])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/lab: requirements.txt | $(VENV)/bin/python
	@echo "installing TensorFlow and what else requirements.txt names: minutes, 2.5 GB on disk"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/fuzz: requirements-fuzz.txt $(VENV)/test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-fuzz.txt
	@touch $@

$(VENV)/gpu: requirements-gpu.txt $(VENV)/lab
	@echo "installing NVIDIA's libraries for TensorFlow: minutes, 3 GB more on disk"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-gpu.txt
	@touch $@

$(VENV)/test: requirements-test.txt $(VENV)/lab
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@
