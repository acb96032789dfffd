# Real programs against the daemon; included by tests/tests.mk. CLIENTS=git,ssh runs
# a part.

CLIENTS ?=

clients-dependencies:
	@sh packaging/install-dependencies clients || [ "$$CI" != true ]

clients: clients-dependencies $(DAEMON) $(STATUS_PAGE)
	USHERD=$(abspath $(DAEMON)) STATUS_PAGE=$(abspath $(STATUS_PAGE)) \
		SCREENSHOTS=$(abspath $(BUILD)/screenshots) tests/clients/run $(subst $(comma), ,$(CLIENTS))

.PHONY: clients clients-dependencies
