/* Names of system calls, their groups, and names of capabilities. */
#include "config/capability_names.h"
#include "config/syscall_names.h"

#include <check.h>
#include <linux/capability.h>
#include <string.h>

/* --- groups --- */

static unsigned times_in_groups(const char *name)
{
	const struct syscall_group *group;
	unsigned times = 0;

	for (size_t i = 0; (group = syscall_group(i)); i++)
		for (const char *const *call = group->calls; *call; call++)
			times += strcmp(*call, name) == 0;
	return times;
}

START_TEST(each_call_is_in_one_group)
{
	const struct syscall_group *group;

	for (size_t i = 0; (group = syscall_group(i)); i++) {
		ck_assert_int_eq(group->name[0], '@');
		ck_assert_ptr_nonnull(group->calls[0]);
		for (const char *const *call = group->calls; *call; call++)
			ck_assert_msg(times_in_groups(*call) == 1, "%s", *call);
	}
}
END_TEST

/* What must never come to be in the default. */
static const char *const dangerous[] = {
	"ptrace",
	"process_vm_readv",
	"process_vm_writev",
	"pidfd_getfd",
	"perf_event_open",
	"mount",
	"umount2",
	"pivot_root",
	"chroot",
	"setns",
	"open_tree",
	"move_mount",
	"fsopen",
	"add_key",
	"request_key",
	"keyctl",
	"bpf",
	"userfaultfd",
	"io_setup",
	"io_uring_setup",
	"io_uring_enter",
	"io_uring_register",
	"init_module",
	"finit_module",
	"delete_module",
	"kexec_load",
	"kexec_file_load",
	"reboot",
	"swapon",
	"swapoff",
	"iopl",
	"ioperm",
	"syslog",
	"acct",
	"settimeofday",
	"clock_settime",
	"open_by_handle_at",
	"quotactl",
	"uselib",
	"vm86",
	"clone3",
	"kcmp",
	"lookup_dcookie",
	"nfsservctl",
	"_sysctl",
};

START_TEST(the_default_is_harmless)
{
	static struct syscall_set set;

	set.count = 0;
	ck_assert(syscall_set_apply(&set, "default"));
	ck_assert_uint_gt(set.count, 300);
	for (size_t i = 0; i < sizeof dangerous / sizeof dangerous[0]; i++)
		ck_assert_msg(!syscall_set_find(&set, dangerous[i]), "%s", dangerous[i]);
}
END_TEST

/* --- words --- */

static const struct {
	const char *words[4];
	const char *name;
	int found; /* 0: no, 1: with conditions or always, 2: by its own name */
} words[] = {
	{ { "default" }, "read", 1 },
	{ { "default" }, "ptrace", 0 },
	{ { "default", "+ptrace" }, "ptrace", 2 },
	{ { "default", "+@debug" }, "ptrace", 1 },
	{ { "default", "+@debug", "-ptrace" }, "ptrace", 0 },
	{ { "default", "-ptrace", "+@debug" }, "ptrace", 1 },
	{ { "default", "-@network" }, "socket", 0 },
	{ { "default", "-@network", "+socket" }, "socket", 2 },
	{ { "default", "+clone" }, "clone", 2 },
	{ { "default", "+clone", "-clone" }, "clone", 0 },
	{ { "default", "-read", "-read" }, "read", 0 },
};

START_TEST(words_are_applied_in_their_order)
{
	static struct syscall_set set;
	const struct allowed_call *call;

	set.count = 0;
	for (size_t i = 0; words[_i].words[i]; i++)
		ck_assert(syscall_set_apply(&set, words[_i].words[i]));
	call = syscall_set_find(&set, words[_i].name);
	ck_assert_int_eq(call ? 1 + call->is_whole : 0, words[_i].found);
}
END_TEST

START_TEST(other_words_are_refused)
{
	static const char *const others[] = {
		"", "all", "read", "+", "-", "+nonsense", "-@nonsense", "+@", "@io", "+default"
	};
	static struct syscall_set set;

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		ck_assert_msg(!syscall_set_apply(&set, others[i]), "%s", others[i]);
}
END_TEST

START_TEST(a_set_that_is_full_takes_no_more)
{
	static struct syscall_set set;
	static char names[SYSCALLS_MAX][2];

	for (set.count = 0; set.count < SYSCALLS_MAX; set.count++)
		set.calls[set.count].name = names[set.count];
	ck_assert(!syscall_set_apply(&set, "+read"));
	ck_assert(!syscall_set_apply(&set, "default"));
}
END_TEST

START_TEST(a_misspelt_call_has_a_neighbour)
{
	ck_assert_str_eq(syscall_nearest("ptrac"), "ptrace");
	ck_assert_str_eq(syscall_nearest("@netwrok"), "@network");
	ck_assert_str_eq(syscall_nearest("io_uring_setpu"), "io_uring_setup");
	ck_assert_ptr_null(syscall_nearest("qqqqqqqqqq"));
}
END_TEST

/* --- capabilities --- */

static const struct {
	const char *name;
	int number;
} capabilities[] = {
	{ "CHOWN", CAP_CHOWN },
	{ "CAP_CHOWN", CAP_CHOWN },
	{ "cap_net_bind_service", CAP_NET_BIND_SERVICE },
	{ "Sys_Admin", CAP_SYS_ADMIN },
	{ "CAP_AUDIT_READ", CAP_AUDIT_READ },
	{ "MKNOD", CAP_MKNOD },
	{ "SETFCAP", CAP_SETFCAP },
	{ "CHECKPOINT_RESTORE", 40 },
	{ "CAP_", -1 },
	{ "", -1 },
	{ "CAP_CAP_CHOWN", -1 },
	{ "none", -1 },
};

START_TEST(capabilities_have_their_numbers)
{
	ck_assert_int_eq(capability_number(capabilities[_i].name), capabilities[_i].number);
}
END_TEST

START_TEST(capabilities_have_names)
{
	int number = 0;

	for (; capability_name(number); number++)
		ck_assert_int_eq(capability_number(capability_name(number)), number);
	ck_assert_int_ge(number, CAP_LAST_CAP + 1);
	ck_assert_ptr_null(capability_name(-1));
	ck_assert_str_eq(capability_nearest("CAP_CHWON"), "CHOWN");
	ck_assert_str_eq(capability_nearest("sys_amdin"), "SYS_ADMIN");
	ck_assert_ptr_null(capability_nearest("everything"));
}
END_TEST

Suite *syscall_names_suite(void)
{
	Suite *suite = suite_create("syscall_names");
	TCase *tests = tcase_create("names");

	tcase_add_test(tests, each_call_is_in_one_group);
	tcase_add_test(tests, the_default_is_harmless);
	tcase_add_loop_test(tests, words_are_applied_in_their_order, 0,
			    (int)(sizeof words / sizeof words[0]));
	tcase_add_test(tests, other_words_are_refused);
	tcase_add_test(tests, a_set_that_is_full_takes_no_more);
	tcase_add_test(tests, a_misspelt_call_has_a_neighbour);
	tcase_add_loop_test(tests, capabilities_have_their_numbers, 0,
			    (int)(sizeof capabilities / sizeof capabilities[0]));
	tcase_add_test(tests, capabilities_have_names);
	suite_add_tcase(suite, tests);
	return suite;
}
