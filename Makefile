# SPDX-License-Identifier: Apache-2.0
# The commands of this repository. `make` alone explains them.

PORT ?= 8080
DATA ?= build/demo.aloft-data
export SWIFT ?= swift
PYTHON := .build/venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup demo build web test test-swift test-web test-browser bench defects clean check

help:
	@echo 'make demo      build everything and run Field Visits on http://127.0.0.1:8080   (make demo PORT=9000)'
	@echo 'make test      every test: Swift, JavaScript, the size of the engine, and real browsers against a real server'
	@echo 'make bench     figures, each beside the same work done the plain way: server, browser, sizes, simulator, text'
	@echo 'make build     the server in debug mode with all tests, and the browser side'
	@echo 'make clean     remove everything that was built (also the demo data)'
	@echo
	@echo 'Parts, when you work on one thing (after one `make build`):'
	@echo '  make web                          the browser side only: engines and modules'
	@echo '  swift test --filter "<words>"     some Swift tests'
	@echo '  make test-web                     the JavaScript tests'
	@echo '  make test-browser ONLY=portal     browser scenarios whose name has the word'
	@echo '  make check                        imports point one way'
	@echo '  make defects                      show that the simulator catches every seeded defect'
	@echo '  make setup                        install what is missing (as root), or say what to install'

defects:
	@Scripts/defects.py

setup:
	@Scripts/setup.sh

demo:
	@Scripts/setup.sh demo
	@$(MAKE) --no-print-directory web
	@echo 'demo: building the server; the first time takes some minutes'
	@program=$$(Scripts/build-release.sh aloft) && exec "$$program" demo --port $(PORT) --data $(DATA)

build: setup web
	@$(SWIFT) build --build-tests

web:
	@Scripts/build-wasm.sh
	@Scripts/build-web.sh

check:
	@Scripts/check-layers.sh

test:
	@Scripts/test.sh

test-swift:
	@Scripts/test.sh swift

test-web:
	@Scripts/test.sh web

test-browser:
	@Scripts/test.sh browser $(ONLY)

bench: setup web
	@echo; echo '== server'
	@program=$$(Scripts/build-release.sh server-bench) && "$$program"
	@echo; echo '== browser'
	@program=$$(Scripts/build-release.sh aloft) && $(PYTHON) Benchmarks/browser/run.py --server "$$program" --platform build/web
	@echo; echo '== size'
	@node Scripts/size.mjs
	@echo; echo '== simulator'
	@program=$$(Scripts/build-release.sh sim) && "$$program" --ops 300000
	@echo; echo '== text'
	@Scripts/bench-text.sh

clean:
	rm -rf .build build
