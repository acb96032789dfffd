# The tests that need a kernel of their own; included by tests/tests.mk.

# At once, as each machine has one processor.
vm: vm-dependencies $(BUILD)/tests/integration/runner $(SUPPORT_PROGRAMS) $(DAEMON)
	@$(MAKE) --no-print-directory -j 2 vm-integration vm-systemd

vm-dependencies:
	@sh packaging/install-dependencies vm || [ "$$CI" != true ]

vm-integration: vm-dependencies $(BUILD)/tests/integration/runner $(SUPPORT_PROGRAMS) $(DAEMON)
	VM_CACHE=build/vm tests/vm/run $(BUILD)/tests/integration/runner $(DAEMON) \
		tree/processes_at_exit tree/cgroups tree/limits \
		jail/jail privileges/users 'privileges/without root' \
		'escape/jail with a root' 'escape/jail without root'

# With systemd as the first process there.
vm-systemd: vm-dependencies $(DAEMON)
	VM_CACHE=build/vm tests/vm/systemd/run $(DAEMON)

.PHONY: vm vm-dependencies vm-integration vm-systemd
