# The commands a person types. What each does lies in scripts/ or in swift itself.

PREFIX ?= /usr/local
DESTDIR ?=
FUZZ ?=
BENCH ?=
LAYERS ?=
SETS ?=
MPI ?=

SWIFT_FILES = Sources Tests Benchmarks/Package.swift Benchmarks/Sources Package.swift

.DEFAULT_GOAL := help
.PHONY: help run test soak build bench bench-layers bench-loader recipes fuzz format lint sample release release-check install clean

help: ## list these targets
	@echo "Skipline: train residual networks on folders of images, in the terminal"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

run: ## build, then open the workbench on the sample data (without a terminal: train and evaluate)
	@scripts/run

test: ## build, run every test, check imports and format
	@scripts/test

soak: ## kill, starve and pester runs for a long time (SOAK_KILLS=20 makes it shorter), print what became of them
	@scripts/soak

build: ## build the optimized program, .build/release/skipline; MPI=1 also what it needs under mpirun and srun
	@scripts/bootstrap $(if $(MPI),--mpi)
	swift build -c release --product skipline
	@$(if $(MPI),scripts/build-mpi .build/release/libskipline-mpi.so)

bench: ## measure steps, threads, memory and start; PYTHON=python3 puts PyTorch beside; BENCH="--rows cifar20" chooses
	@PYTHON="$(PYTHON)" scripts/bench $(BENCH)

bench-layers: ## time a network's layers against what the machine can do; LAYERS="--net resnet18 --size 64 --batch 64"
	@scripts/bootstrap
	@env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE swift run -c release --package-path Benchmarks layers $(LAYERS)

pictures: ## make docs/workbench.png, inspector.png and training.gif from a real screen (tmux, librsvg2-bin, imagemagick)
	@scripts/bootstrap
	swift build -c release --product skipline >&2
	@scripts/pictures $(DATA)

recipes: ## train sets with nothing said and print what the recipe chose and reached; SETS="folder folder,--budget=5m"
	@scripts/bootstrap
	swift build -c release --product skipline >&2
	@scripts/recipes $(SETS)

fuzz: ## feed a million damaged inputs to everything that reads from outside; FUZZ="png --count 5000" chooses
	@scripts/bootstrap
	swift run -c release skipline-fuzz $(FUZZ)

bench-loader: ## time loading images; DATA=folder SIZE=64, PEER=python3 puts torchvision beside it
	@scripts/bench-loader

format: ## put the Swift sources into the project's format
	swift format format --in-place --recursive $(SWIFT_FILES)

lint: ## check that format without changing anything
	swift format lint --strict --recursive $(SWIFT_FILES)

sample: ## draw sample-data/ anew; it comes out the same
	@scripts/bootstrap
	swift run -c release skipline-sample sample-data

release: ## make what is downloaded, in dist/: a tarball that runs from any folder, and a Debian package
	@scripts/release

release-check: ## try the release on a minimal Debian without a toolchain, and on other processors (needs root)
	@scripts/release-check

install: ## install below PREFIX, /usr/local if not given; DESTDIR is put before it; MPI=1 as for build
	@scripts/bootstrap $(if $(MPI),--mpi)
	@program=$$(scripts/build-release) && scripts/stage "$$program" "$(DESTDIR)$(PREFIX)"
	@$(if $(MPI),scripts/build-mpi "$(DESTDIR)$(PREFIX)/lib/skipline/libskipline-mpi.so")

clean: ## remove what was built; runs/ stays
	swift package clean
