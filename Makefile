# The few verbs around `snakemake`. `make run ARGS="-n"` hands options and targets on, `make page ARGS=FOLDER` too.
PYTHON ?= python3
BIN = .venv/bin
# The Slurm tests need the Slurm plugin in an environment of its own, and only where there is Slurm.
SLURM = $(if $(shell command -v sbatch),.venv-slurm/complete)

.PHONY: run page test lint

run: .venv/complete
	$(BIN)/snakemake -j4 $(ARGS)

page: .venv/complete
	@$(BIN)/python zoomill page $(ARGS)

test: .venv/complete $(SLURM)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: export PATH := $(CURDIR)/$(BIN):$(PATH)
lint: .venv/complete
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow rules
	$(BIN)/snakemake --lint

.venv/complete: envs/host.lock
.venv-slurm/complete: envs/slurm.lock
%/complete:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"error: zoomill needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv --clear $*
	$*/bin/pip install --quiet --require-hashes -r $<
	touch $@
