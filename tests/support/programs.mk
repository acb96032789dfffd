# Programs that the daemon starts in integration tests; included by tests/tests.mk. Built
# without sanitizers, which do not work under the tests' resource limits.

SUPPORT_PROGRAMS := $(patsubst tests/support/programs/%.c,$(BUILD)/tests/programs/%,\
	$(sort $(wildcard tests/support/programs/*.c)))

$(BUILD)/tests/programs/%: tests/support/programs/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra $(if $(WERROR),-Werror) $(PROGRAM_FLAGS) -o $@ $<

# They run in a root where no library is, or are started often.
$(addprefix $(BUILD)/tests/programs/,escape probe talker): private PROGRAM_FLAGS := -static

integration soak: $(SUPPORT_PROGRAMS)
integration soak: export TEST_PROGRAMS = $(abspath $(BUILD)/tests/programs)
