# SPDX-License-Identifier: Apache-2.0
# A thin face over the CMake presets. `make` builds into build/; `make help` lists the rest.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)

.PHONY: all deps demo check check-system bench bench-amt bench-ipmi bench-compare fuzz lint format install deb dist clean help

all: $(BUILD)/CMakeCache.txt
	@env -u MAKEFLAGS -u MAKELEVEL cmake --build $(BUILD) -j $(JOBS) -- --no-print-directory

$(BUILD)/CMakeCache.txt:
	@scripts/deps build
	@cmake --preset release -B $(BUILD) >$(BUILD).log 2>&1 || { cat $(BUILD).log; exit 1; }
	@mv $(BUILD).log $(BUILD)/configure.log

deps:
	@scripts/deps build check

demo: all
	@scripts/deps demo || echo 'demo: goes on without them'
	@scripts/demo $(if $(KEEP),--keep)

check:
	@scripts/check

check-system: all
	@scripts/check-system

# One part of it: check-vm, check-packages, ...
check-%: all
	@scripts/check-system $*

bench: all
	@scripts/deps check
	@scripts/bench

bench-amt: all
	@scripts/deps check
	@scripts/bench amt
	@scripts/bench-amt

bench-ipmi: all
	@scripts/deps check
	@scripts/bench ipmi

bench-compare:
	@scripts/bench-compare "$(BASE)" $(ROWS)

fuzz:
	@scripts/fuzz

lint:
	@scripts/lint

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: all
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD) --prefix $(PREFIX)

deb:
	@scripts/deb

dist:
	@scripts/dist

clean:
	@rm -rf build build-dev build-tsan build-clang build-fuzz build-deb

help:
	@echo 'make              build into build/ (build/bin/powerctl runs in place)'
	@echo 'make demo         a guided run on a stand-in fleet; KEEP=1 leaves the fleet running'
	@echo 'make check        all tests: gcc, clang with its sanitizers (FULL=1: all in both)'
	@echo 'make check-system tests with other programs'"'"' daemons; asks before it installs (YES=1: not)'
	@echo '                  (make check-PART: one part of it; scripts/check-system --help names them)'
	@echo 'make bench        timings beside other clients, in one table'
	@echo 'make bench-amt    its rows of AMT beyond power: hardware beside status, a thousand consoles'
	@echo 'make bench-ipmi   its rows of IPMI: beside ipmipower and ipmitool'
	@echo 'make bench-compare BASE=REVISION  whether HEAD is slower than that, as ratios; ROWS= of make bench'
	@echo 'make fuzz         each fuzz target for EACH=60 seconds'
	@echo 'make lint         format, clang-tidy, cppcheck, shellcheck, includes'
	@echo 'make install      DESTDIR= PREFIX=/usr/local'
	@echo 'make deb          packages of Debian into build-deb/'
	@echo 'make dist         the source of HEAD as powerctl-VERSION.tar.gz; DIST= another folder'
