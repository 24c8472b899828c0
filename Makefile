# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c packaging/constraints.txt
PACKAGES := inference viewer training
RECIPE := pyproject.toml packaging/constraints.txt packaging/runtime packaging/unused_qt
# The two ONNX Runtimes overwrite each other's files, so whichever is there goes before one comes.
ONE_RUNTIME = $(BIN)/python -m pip uninstall --quiet --yes onnxruntime onnxruntime-gpu 2>/dev/null
RUNTIME = $$(packaging/runtime)

.PHONY: demo docs bundle test processors check format lint types imports bench bench-gpu bench-all soak mutants screenshots demo-model clean

demo: $(VENV)/.viewer  ## the viewer on the bundled clip and model
	@packaging/system-libraries
	@packaging/demo

test: $(VENV)/.all  ## every test
	@packaging/system-libraries screen && packaging/test-tools
	@packaging/all-tests $(BIN)/python

processors: $(VENV)/.all  ## the tests of engine and precision on every instruction set of this processor; OTHERS=1 on two that `make test` does not run on
	@packaging/system-libraries
	$(BIN)/python tests/processors.py $(if $(OTHERS),--others)

check: $(VENV)/.all format lint  ## what must pass before every commit; BESIDE="processors OTHERS=1" for more
	@packaging/beside test types imports $(BESIDE)

format: $(VENV)/.all
	$(BIN)/ruff format --check $(PACKAGES) tests packaging

lint: $(VENV)/.all
	$(BIN)/ruff check $(PACKAGES) tests packaging

types: $(VENV)/.all
	$(BIN)/mypy

imports: $(VENV)/.all
	$(BIN)/lint-imports

bench: $(VENV)/.all  ## ten minutes: engine against nnU-Net and the bare session, viewer end to end, into bench.json
	@packaging/system-libraries screen && packaging/test-tools
	@$(BIN)/python tests/benchmarks/bench_engine.py
	@if $(BIN)/python -c "import PySide6" 2> /dev/null; then $(BIN)/python tests/benchmarks/bench_viewer.py; \
	else echo "PySide6 is not here: the window was not measured." >&2; fi

bench-gpu: $(VENV)/.all  ## six minutes on a machine with an NVIDIA card, into bench-gpu.json; DRY=1 runs the same code on the CPU
	$(BIN)/python tests/benchmarks/bench_gpu.py $(if $(DRY),--dry)

bench-all: $(VENV)/.all  ## every measurement (tests/benchmarks/README.md): hours
	@packaging/system-libraries screen && packaging/test-tools
	@set -e; for script in $(filter-out %/bench_gpu.py,$(sort $(wildcard tests/benchmarks/bench_*.py))); do $(BIN)/python $$script; done

soak: $(VENV)/.all  ## a minute of each live source, ten minutes of latency, twice 20,000 frames of memory, kills, README's training steps, wheel and bundle where nothing is, what every command sends: an hour
	@packaging/system-libraries screen && packaging/test-tools
	@failed=; for script in tests/soak/soak_*.py; do $(BIN)/python $$script || failed="$$failed $$script"; done; \
	test -z "$$failed" || { echo "Violated:$$failed" >&2; exit 1; }

mutants: $(VENV)/.all  ## every control of docs/HAZARDS.md broken in a copy, its row's tests run: none survives; ROWS="H5 H44" for some; an hour
	@packaging/system-libraries screen && packaging/test-tools
	@packaging/desktop $(BIN)/python tests/mutants/run.py $(ROWS)

docs: $(VENV)/.all  ## the manual in build/docs, its pages that are made from the code first
	$(BIN)/python packaging/pages.py
	$(BIN)/mkdocs build --quiet

bundle:  ## the viewer as one folder, tested, and as tar.xz and .deb in dist/: minutes, in an environment of its own
	@packaging/system-libraries
	@packaging/bundle

screenshots: $(VENV)/.all  ## every state of the window into work/screens, and all of them on docs/states.png
	rm -rf work/screens && IUS_SCREENSHOTS=work/screens $(BIN)/python -m pytest -q tests/viewer
	$(BIN)/python tests/viewer/contact_sheet.py work/screens docs/states.png

demo-model: $(VENV)/.all  ## simulate, slice, fit, evaluate and export the bundled model and clip: hours
	$(BIN)/ius-train demo --work work/demo-model --out assets

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.viewer: $(VENV)/bin/python $(RECIPE)
	$(ONE_RUNTIME)
	$(PIP) --no-compile -e ".[$(RUNTIME)]"
	@packaging/unused_qt $(VENV)
	@touch $@

# torch first: the constraint then keeps the CPU build where one is at hand.
$(VENV)/.all: $(VENV)/bin/python $(RECIPE)
	$(PIP) --no-compile torch
	$(ONE_RUNTIME)
	$(PIP) --no-compile -e ".[$$(packaging/runtime tests),training,slurm,dev]"
	@packaging/unused_qt $(VENV)
	@$(BIN)/python -W ignore -m compileall -qq -j 0 $(VENV)/lib || true  # on every core; some packages hold templates
	@touch $@ $(VENV)/.viewer

clean:
	rm -rf $(VENV) build dist *.egg-info
