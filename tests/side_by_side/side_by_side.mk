# Runs the same clients against xinetd and usherd; included by tests/tests.mk.
# SIDE_BY_SIDE='access limits' runs the scenarios whose names match.

SIDE_BY_SIDE ?=

side-by-side-dependencies:
	@sh packaging/install-dependencies side_by_side || [ "$$CI" != true ]

side-by-side: side-by-side-dependencies $(DAEMON) $(SUPPORT_PROGRAMS)
	USHERD=$(abspath $(DAEMON)) TEST_PROGRAMS=$(abspath $(BUILD)/tests/programs) \
		tests/side_by_side/run $(SIDE_BY_SIDE)

.PHONY: side-by-side side-by-side-dependencies
