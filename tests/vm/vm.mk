# The tests that need a kernel of their own; included by tests/tests.mk.

vm-dependencies:
	@sh packaging/install-dependencies vm || [ "$$CI" != true ]

vm: export TEST_PROGRAMS = $(abspath $(BUILD)/tests/programs)
vm: vm-dependencies $(BUILD)/tests/integration/runner $(DAEMON) $(SUPPORT_PROGRAMS)
	VM_CACHE=build/vm tests/vm/run $(BUILD)/tests/integration/runner $(DAEMON) \
		tree processes_at_exit cgroups limits
	VM_CACHE=build/vm tests/vm/run $(BUILD)/tests/integration/runner $(DAEMON) jail jail

.PHONY: vm vm-dependencies
