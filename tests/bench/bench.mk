# make bench: the comparison with other superservers; included by the Makefile.
# BENCH=launch,echo runs a part, BENCH_ROUNDS and BENCH_SECONDS set the duration, and
# USHERD may name another daemon that reads xinetd's files.

USHERD ?= $(DAEMON)
BENCH ?=
BENCH_DIRECTORY := $(BUILD)/tests/bench
BENCH_PROGRAMS := $(addprefix $(BENCH_DIRECTORY)/,load floor tiny small)

$(BENCH_DIRECTORY)/%: tests/bench/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< -lpthread

# All superservers start the same program, as small as possible, whatever the flags are.
$(BENCH_DIRECTORY)/tiny: PROGRAM_FLAGS := -nostdlib
$(BENCH_DIRECTORY)/tiny $(BENCH_DIRECTORY)/small: $(BENCH_DIRECTORY)/%: tests/bench/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -static -O2 $(PROGRAM_FLAGS) -o $@ $<

bench-dependencies:
	@sh packaging/install-dependencies build bench || \
		echo 'Some packages are missing: their columns will say so.'

bench-programs: $(USHERD) $(STATUS_PAGE) $(BENCH_PROGRAMS)

bench: bench-dependencies
	@$(MAKE) --no-print-directory bench-programs
	@USHERD=$(USHERD) STATUS_PAGE=$(abspath $(STATUS_PAGE)) BENCH_PROGRAMS=$(BENCH_DIRECTORY) tests/bench/run $(BENCH)

.PHONY: bench bench-dependencies bench-programs
