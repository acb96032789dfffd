# Checks of the sources that do not run them, and files for editors; included by the
# Makefile. Each target installs what it needs.

TEST_SOURCES := $(sort $(wildcard tests/*/*.c tests/*/*/*.c))
ALL_SOURCES := $(SOURCES) $(TEST_SOURCES)
ALL_HEADERS := $(sort $(wildcard include/*.h include/*/*.h tests/*/*.h tests/*/*/*.h))
scripts_of = $(shell grep -lE '^\#(!/bin/(ba)?sh|!/usr/bin/env sh| shellcheck shell=)' \
	$(wildcard .ci/* packaging/* packaging/*/* src/*/* tests/* tests/*/* tests/*/*/*) 2>/dev/null)
python_of = $(wildcard tests/*.py tests/*/*.py tests/*/*/*.py) \
	$(shell grep -lE '^\#!.*python3' $(wildcard tests/* tests/*/*) 2>/dev/null)

# No folder may include a header of a folder above it, and no room itself in a circle.
layers: test-dependencies
	tests/layers

lint: lint-dependencies
	@$(MAKE) --no-print-directory -j $$(nproc) lint-clang-tidy lint-cppcheck lint-scripts \
		lint-manuals format-check

lint-dependencies:
	@sh packaging/install-dependencies build test lint format

# A process for each file. A clean file is checked again when it, a header or .clang-tidy
# changes. clang-tidy does not get gcc's flags.
lint-clang-tidy: $(SOURCES:%=$(BUILD)/lint/%.tidy)

$(BUILD)/lint/%.tidy: % .clang-tidy $(ALL_HEADERS)
	@mkdir -p $(@D)
	$(call say,TIDY,$<)clang-tidy --quiet $< -- -std=c11 $(CPPFLAGS) 2>$@.errors || \
		{ grep -v 'warnings* generated' $@.errors >&2; exit 1; }
	@touch $@

# Without the macros of queue.h and uthash.h, cppcheck reports every list.
lint-cppcheck:
	$(call say,CPPCHECK,src)cppcheck --quiet -j $$(nproc) --std=c11 --error-exitcode=1 \
		--enable=warning,performance,portability --suppressions-list=tests/cppcheck.suppressions \
		--include=/usr/include/$$(gcc -print-multiarch)/sys/queue.h --include=/usr/include/uthash.h \
		$(CPPFLAGS) src

lint-scripts:
	$(call say,SHELLCHECK,$(scripts_of))shellcheck $(scripts_of)
	$(call say,PYFLAKES,tests)pyflakes3 $(python_of)

# The manuals that they refer to need not be installed.
lint-manuals:
	$(call say,MANDOC,man)! mandoc -Tlint $(sort $(wildcard man/*)) 2>&1 | \
		grep -v -e 'referenced manual not found' -e 'outdated mandoc.db'

format:
	@sh packaging/install-dependencies format
	clang-format -i $(ALL_SOURCES) $(ALL_HEADERS)

# Names the files that it would change.
format-check:
	@sh packaging/install-dependencies format
	@clang-format --dry-run $(ALL_SOURCES) $(ALL_HEADERS) 2>&1 | \
		sed -n 's/^\([^:]*\):[0-9]*:[0-9]*: .*clang-format.*/\1/p' | sort | uniq -c | sort -rn | \
		awk '{ print; n++ } END { if (n) { print n " files differ from `make format`"; exit 1 } }'

# --- coverage -----------------------------------------------------------------------

# A process writes its counts when it ends by itself, not when it is killed. A failed test
# is ignored here, as the frontend has no fence: make check decides.
COVERAGE := build/coverage
COVERAGE_KINDS ?= unit integration
coverage_make = $(MAKE) --no-print-directory BUILD=$(COVERAGE) OPTIMIZE='-O1 --coverage'

coverage:
	@sh packaging/install-dependencies build test coverage
	@if [ -d $(COVERAGE) ]; then find $(COVERAGE) -name '*.gcda' -delete; fi
	@$(coverage_make) -j $$(nproc) $(COVERAGE)/usherd test-programs
	@for kind in $(COVERAGE_KINDS); do $(coverage_make) $$kind || true; done
	@lcov --quiet --capture --directory $(COVERAGE)/src --base-directory . --no-external \
		--output-file $(COVERAGE)/usherd.info 2>$(COVERAGE)/lcov.errors || \
		{ cat $(COVERAGE)/lcov.errors >&2; exit 1; }
	@lcov --summary $(COVERAGE)/usherd.info 2>/dev/null

ifeq ($(BUILD),$(COVERAGE))
$(DAEMON): $(BUILD)/tests/support/coverage/no_fence.o
$(DAEMON): private override LDFLAGS += -Wl,--wrap=fence_enter
endif

# --- for editors ----------------------------------------------------------------------

# One object for each file, as clang's tools read them.
json = $(subst ",\",$(subst \,\\,$(1)))
compile_command = {"directory": "$(CURDIR)", "file": "$(1)", \
	"command": "$(call json,$(CC) $(CPPFLAGS) $(if $(filter tests/%,$(1)),-Itests -I$(BUILD)/tests/unit) $(CFLAGS) -c $(1))"}
define newline


endef

compile_commands.json: FORCE
	$(call say,GEN,$@):$(file >$@,[$(subst }$(newline) {,}$(comma)$(newline){,$(foreach file,$(ALL_SOURCES),$(call compile_command,$(file))$(newline)))])

.PHONY: layers lint lint-dependencies lint-clang-tidy lint-cppcheck lint-scripts lint-manuals \
	format format-check coverage
