# usherd: GNU make. `make help` lists the targets.

VERSION := 1.0.0
PREFIX  ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
LIBEXECDIR ?= $(PREFIX)/libexec
MANDIR  ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
DESTDIR ?=

# SANITIZE=address,undefined or SANITIZE=thread builds in a directory of its own.
SANITIZE ?=
BUILD ?= build$(if $(SANITIZE),/$(subst $(comma),-,$(SANITIZE)))
comma := ,

# Each command prints a short line; V=1 prints whole command lines.
ifeq ($(filter-out 0,$(V)),)
say = @printf '%-3s %s\n' '$(1)' '$(2)'; 
endif

CC ?= cc
PKG_CONFIG ?= pkg-config
OPTIMIZE ?= $(if $(SANITIZE),-O1,-O2)
# gcc accepts the comments in uthash's macros; clang does not see them.
fallthrough := $(shell $(CC) -Werror -Wimplicit-fallthrough=3 -E -x c /dev/null >/dev/null 2>&1 && \
	echo -Wimplicit-fallthrough=3)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wwrite-strings -Wvla -Wformat=2 -Wpointer-arith -Wcast-qual -Wundef \
	$(fallthrough) $(if $(WERROR),-Werror)
HARDENING := -fstack-protector-strong -fPIE $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
SANITIZER := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
DEPENDS := libconfuse libseccomp

# An optional part is built in when its header or package is found. Its library is
# loaded when it is needed, see base/library.h.
hash := \#
have_header = $(shell echo '$(hash)include <$(1)>' | $(CC) $(CPPFLAGS) $(CFLAGS) -E -x c - >/dev/null 2>&1 && echo yes)
have_package = $(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo yes)
ifeq ($(call have_header,tcpd.h),yes)
FEATURES += -DHAVE_LIBWRAP
endif
ifeq ($(call have_package,libtirpc),yes)
FEATURES += -DHAVE_LIBTIRPC $(shell $(PKG_CONFIG) --cflags libtirpc)
endif
ifeq ($(call have_package,libselinux),yes)
FEATURES += -DHAVE_LIBSELINUX $(shell $(PKG_CONFIG) --cflags libselinux)
endif

CFLAGS ?= $(OPTIMIZE) -g
override CFLAGS += -std=c11 $(WARNINGS) $(HARDENING) $(SANITIZER)
override CPPFLAGS += -D_GNU_SOURCE -DUSHERD_VERSION='"$(VERSION)"' -DSYSCONFDIR='"$(SYSCONFDIR)"' \
	-Iinclude $(FEATURES) $(shell $(PKG_CONFIG) --cflags $(DEPENDS) 2>/dev/null)
override LDFLAGS += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANITIZER)
LDLIBS = $(shell $(PKG_CONFIG) --libs $(DEPENDS)) -lpthread -ldl

SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o)
# Two programs, each with a main of its own; the page is for one of them alone.
PAGE    := $(BUILD)/src/status_page
ROOMS   := $(filter-out $(BUILD)/src/main.o $(PAGE)/main.o $(PAGE)/page.o,$(OBJECTS))
DAEMON  := $(BUILD)/usherd
STATUS_PAGE := $(BUILD)/status_page
PAGE_OBJECTS := $(filter $(PAGE)/%,$(OBJECTS))
PAGE_ROOMS := $(patsubst %,$(BUILD)/src/%.o,base/clock base/span config/control_client \
	config/control_socket)

all: dependencies
	@$(MAKE) --no-print-directory usherd

# The convenient name of the plain build.
usherd: $(DAEMON) $(STATUS_PAGE)
	@ln -sf $(DAEMON) usherd

$(DAEMON): $(filter-out $(PAGE_OBJECTS),$(OBJECTS))
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(STATUS_PAGE): $(PAGE_OBJECTS) $(PAGE_ROOMS)
	$(call say,LD,$@)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(PAGE)/page.html: src/status_page/put_together $(wildcard src/status_page/page.[hcj]*)
	$(call say,GEN,$@)src/status_page/put_together $(@D)

$(PAGE)/page.o: $(PAGE)/page.html
$(PAGE)/page.o: private override CPPFLAGS += -Wa,-I$(PAGE)

# A new optional library, or other flags, rebuild all objects.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CFLAGS) $(CPPFLAGS)' | cmp -s - $@ || echo '$(CC) $(CFLAGS) $(CPPFLAGS)' >$@

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# --- running and installing ---------------------------------------------------

# Who has no place for a control socket gets one.
run: export XDG_RUNTIME_DIR ?= $(abspath $(BUILD)/run)
run: all
	@mkdir -p $(BUILD)/run
	./usherd -dontfork -f usherd.conf

dependencies:
	@sh packaging/install-dependencies build

test-dependencies:
	@sh packaging/install-dependencies build test

include packaging/packaging.mk

# --- tests ----------------------------------------------------------------------
# Every tests/<kind>/<room>_test.c has a function `Suite *<room>_suite(void)`; the
# runner of its kind is made from that list.

include tests/tests.mk
include tests/lint.mk
include tests/bench/bench.mk
-include tests/fuzz/fuzz.mk

help:
	@echo 'make run        build and start the daemon on the embedded default, as any user'
	@echo 'make check      build, and run all tests (also with SANITIZE=address,undefined or thread)'
	@echo 'make unit, make integration, make clients    one kind of test'
	@echo 'make soak       100,000 clients of every kind, during reloads and pauses (SOAK_CONNECTIONS)'
	@echo 'make vm         the tests of cgroups, and of systemd, on a kernel of their own (qemu)'
	@echo 'make clang, make musl    build with clang; compile each file against musl'
	@echo 'make layers     check that no include climbs to a higher folder or makes a circle'
	@echo 'make lint       clang-tidy, cppcheck, clang-format, shellcheck, pyflakes and mandoc'
	@echo 'make coverage   the share of lines that make unit and make integration run'
	@echo 'make format     format the sources by .clang-format; make format-check: list what differs'
	@echo 'make compile_commands.json    for editors and clang tools'
	@echo 'make bench      compare with other superservers'
	@echo 'make fuzz       fuzz all parsers of foreign input, each for FUZZ_SECONDS ($(FUZZ_SECONDS))'
	@echo 'make fuzz-load FUZZ_SECONDS=900    one target, for longer'
	@echo 'make install    to DESTDIR, under PREFIX (/usr/local); make uninstall'
	@echo 'make deb        a Debian package; make packages-test: install, upgrade and remove it in'
	@echo '                a fresh Debian'
	@echo 'make dependencies, make test-dependencies    install what these need (Debian)'
	@echo 'make clean'
	@echo 'V=1 shows whole command lines, WERROR=1 makes warnings errors, CC=... sets the compiler.'

clean:
	rm -rf build usherd compile_commands.json

FORCE:
.DELETE_ON_ERROR:
.PHONY: all run dependencies test-dependencies help clean FORCE

-include $(OBJECTS:.o=.d)
