# The test targets; included by the Makefile.

CHECK_LIBS = $(shell $(PKG_CONFIG) --libs check)
all_names = $(patsubst tests/$(1)/%_test.c,%,$(sort $(wildcard tests/$(1)/*_test.c)))
# The slowest suites first, so that none of them is left alone at the end.
SLOW := two_processes launch_queue identity exhaustion tree requests loader tcpmux resolver
test_names = $(filter $(SLOW),$(call all_names,$(1))) $(filter-out $(SLOW),$(call all_names,$(1)))
test_objects = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/$(1)/*.c)))
SUPPORT := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/support/*.c)))

include tests/support/programs.mk

# A runner for one kind: the list of its suites, compiled with tests/support/runner.c.
define test_kind
$(BUILD)/tests/$(1)/suites.h: $(wildcard tests/$(1)/*_test.c) tests/tests.mk
	@mkdir -p $$(@D)
	@for name in $(call test_names,$(1)); do echo "SUITE($$$$name)"; done >$$@

$(BUILD)/tests/$(1)/runner.o: tests/support/runner/runner.c $(BUILD)/tests/$(1)/suites.h $(BUILD)/flags
	$$(call say,CC,$$<)$$(CC) $$(CPPFLAGS) $$(CFLAGS) -I$(BUILD)/tests/$(1) -c -o $$@ $$<

$(BUILD)/tests/$(1)/runner: $(BUILD)/tests/$(1)/runner.o $(SUPPORT) $(ROOMS) \
		$(call test_objects,$(1))
	$$(call say,LD,$$@)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(CHECK_LIBS) $$(LDLIBS)

-include $(patsubst %.o,%.d,$(call test_objects,$(1)))
endef
$(eval $(call test_kind,unit))
$(eval $(call test_kind,integration))
$(eval $(call test_kind,soak))
-include $(SUPPORT:.o=.d)

# private: not for prerequisites such as the file of the flags.
$(BUILD)/tests/%.o: private override CPPFLAGS += -Itests
# Check's macros are written for GNU C.
$(BUILD)/tests/%.o: private override CFLAGS += -Wno-pedantic -Wno-missing-prototypes

# What reports of the daemon need to be seen.
ifneq ($(SANITIZE),)
$(DAEMON): $(BUILD)/tests/support/sanitizer/reports.o
$(DAEMON): private override LDFLAGS += -Wl,--wrap=fence_enter,--wrap=seccomp_syscall_resolve_name
endif
ifeq ($(SANITIZE),thread)
export TSAN_OPTIONS ?= suppressions=$(abspath tests/support/thread_sanitizer.supp)
endif

unit: $(BUILD)/tests/unit/runner
	$(BUILD)/tests/unit/runner $(UNIT)

integration: $(BUILD)/tests/integration/runner $(DAEMON) $(STATUS_PAGE)
	USHERD=$(abspath $(DAEMON)) STATUS_PAGE=$(abspath $(STATUS_PAGE)) $(BUILD)/tests/integration/runner $(INTEGRATION)

# Very many clients at a time. SOAK_CONNECTIONS sets how many.
soak: $(BUILD)/tests/soak/runner $(DAEMON)
	USHERD=$(abspath $(DAEMON)) $(BUILD)/tests/soak/runner

-include tests/clients/clients.mk
-include tests/vm/vm.mk
-include tests/side_by_side/side_by_side.mk

# The last three need programs of other projects.
CHECKS := unit integration fuzz-regressions clients side-by-side vm

check: test-dependencies
	@$(MAKE) --no-print-directory -j $$(nproc) usherd test-programs
	@set -e; for kind in $(CHECKS); do $(MAKE) --no-print-directory $$kind; done

# All programs of the tests.
test-programs: $(BUILD)/tests/unit/runner $(BUILD)/tests/integration/runner $(BUILD)/tests/soak/runner \
	$(SUPPORT_PROGRAMS)

# Other compilers and C libraries. Debian has no libconfuse for musl to link with, so
# every file is only compiled, against musl's headers. The headers that Alpine Linux has
# in bsd-compat-headers and linux-headers come from this machine.
clang:
	@sh packaging/install-dependencies build test clang
	@$(MAKE) --no-print-directory -j $$(nproc) CC=clang BUILD=build/clang WERROR=1 \
		build/clang/usherd test-programs

musl_headers := build/musl/include

musl:
	@sh packaging/install-dependencies build musl
	@mkdir -p $(musl_headers)/sys
	@ln -sfn /usr/include/confuse.h /usr/include/uthash.h /usr/include/seccomp.h /usr/include/seccomp-syscalls.h /usr/include/linux \
		/usr/include/asm-generic /usr/include/$$(gcc -print-multiarch)/asm $(musl_headers)
	@ln -sfn /usr/include/$$(gcc -print-multiarch)/sys/queue.h $(musl_headers)/sys
	@$(MAKE) --no-print-directory -j $$(nproc) CC=musl-gcc BUILD=build/musl WERROR=1 \
		PKG_CONFIG=false CPPFLAGS='-isystem $(musl_headers)' objects

objects: $(OBJECTS)

.PHONY: unit integration soak check test-programs clang musl objects
