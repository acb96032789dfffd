# Real programs against the daemon; included by tests/tests.mk. CLIENTS=git,ssh runs
# a part.

CLIENTS ?=

clients-dependencies:
	@sh packaging/install-dependencies clients || [ "$$CI" != true ]

clients: clients-dependencies $(DAEMON)
	USHERD=$(abspath $(DAEMON)) tests/clients/run $(subst $(comma), ,$(CLIENTS))

.PHONY: clients clients-dependencies
