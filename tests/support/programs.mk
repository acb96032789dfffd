# Programs that the integration tests have the daemon start; included by
# tests/tests.mk. Never sanitized: they run under resource limits that a
# sanitizer can't live with, and say what they find themselves with.

SUPPORT_PROGRAMS := $(patsubst tests/support/programs/%.c,$(BUILD)/tests/programs/%,\
	$(sort $(wildcard tests/support/programs/*.c)))

$(BUILD)/tests/programs/%: tests/support/programs/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra $(if $(WERROR),-Werror) -o $@ $<

integration: $(SUPPORT_PROGRAMS)
integration: export TEST_PROGRAMS = $(abspath $(BUILD)/tests/programs)
