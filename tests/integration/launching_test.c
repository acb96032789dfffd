/* What a server gets: arguments, environment, identity, limits, descriptors, signals.
 * tests/support/programs/report.c prints them. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Adds a service whose server reports; returns its port. */
static int add_report(const char *name, const char *lines)
{
	return add_service(name, "server = %s\n%s\n", place_program("report"), lines);
}

/* The value of a fact, or NULL when the report does not have it. */
static char *fact(const char *report, const char *name)
{
	const char *prefix = textf("\n%s=", name), *found;

	report = textf("\n%s", report);
	found = strstr(report, prefix);
	if (!found)
		return NULL;
	found += strlen(prefix);
	return textf("%.*s", (int)strcspn(found, "\n"), found);
}

static void check_fact(const char *report, const char *name, const char *expected)
{
	const char *value = fact(report, name);

	ck_assert_msg(text_matches(report, "^end=1$"), "an incomplete report: %s", report);
	if (expected)
		ck_assert_msg(value && strcmp(value, expected) == 0, "%s is %s, not %s in\n%s",
			      name, value ? value : "absent", expected, report);
	else
		ck_assert_msg(!value, "%s is %s, not absent in\n%s", name, value, report);
}

static char *report_at(int port)
{
	return ask(port, "");
}

/* --- arguments --- */

START_TEST(the_first_argument_is_the_last_part_of_server)
{
	int port = add_report("zzreport", "");
	char *report;

	daemon_start();
	report = report_at(port);
	check_fact(report, "arguments", "1");
	check_fact(report, "argument.0", "report");
}
END_TEST

START_TEST(server_args_are_split_at_blanks)
{
	int port = add_report("zzreport", "server_args = -n  a\tb   c  ");
	char *report;

	daemon_start();
	report = report_at(port);
	check_fact(report, "arguments", "5");
	check_fact(report, "argument.0", "report");
	check_fact(report, "argument.1", "-n");
	check_fact(report, "argument.4", "c");
}
END_TEST

/* The flag works at any place in the list. */
static const char *const nameinargs[] = {
	"flags = NAMEINARGS\nserver_args = funny one two",
	"server_args = funny one two\nflags = NAMEINARGS",
};

START_TEST(nameinargs_takes_the_name_from_the_arguments)
{
	int port = add_report("zzreport", nameinargs[_i]);
	char *report;

	daemon_start();
	report = report_at(port);
	check_fact(report, "arguments", "3");
	check_fact(report, "argument.0", "funny");
	check_fact(report, "argument.1", "one");
	check_fact(report, "argument.2", "two");
}
END_TEST

/* --- environment --- */

static void start_with_variables(void)
{
	static const char *const variables[] = { "ALPHA=1", "BETA=2", "GAMMA=3", NULL };

	daemon_start_with(&(struct daemon_options){ .environment = variables });
}

START_TEST(the_environment_of_the_daemon_is_passed)
{
	int port = add_report("zzreport", "");
	char *report;

	start_with_variables();
	report = report_at(port);
	check_fact(report, "env.ALPHA", "1");
	check_fact(report, "env.GAMMA", "3");
	check_fact(report, "env.LANG", "C");
}
END_TEST

START_TEST(env_adds_and_overrides)
{
	int port = add_report("zzreport", "env = ONE=1 TWO=2=zwei ALPHA=new\nenv += THREE=");
	char *report;

	start_with_variables();
	report = report_at(port);
	check_fact(report, "env.ONE", "1");
	check_fact(report, "env.TWO", "2=zwei");
	check_fact(report, "env.THREE", "");
	check_fact(report, "env.ALPHA", "new");
	ck_assert_uint_eq(text_count(report, "^env\\.ALPHA="), 1);
}
END_TEST

START_TEST(passenv_names_what_is_passed)
{
	int port = add_report("zzreport", "passenv = BETA NOSUCHVARIABLE\nenv = OWN=1");
	char *report;

	start_with_variables();
	report = report_at(port);
	check_fact(report, "env.BETA", "2");
	check_fact(report, "env.OWN", "1");
	check_fact(report, "env.ALPHA", NULL);
	check_fact(report, "env.PATH", NULL);
	check_fact(report, "env.NOSUCHVARIABLE", NULL);
	check_fact(report, "env.REMOTE_HOST", "127.0.0.1");
}
END_TEST

START_TEST(an_empty_passenv_passes_nothing)
{
	int port = add_report("zzreport", "passenv =");
	char *report;

	start_with_variables();
	report = report_at(port);
	check_fact(report, "env.ALPHA", NULL);
	check_fact(report, "env.LANG", NULL);
	check_fact(report, "env.REMOTE_HOST", "127.0.0.1");
}
END_TEST

START_TEST(passenv_of_defaults_is_edited)
{
	int plain, more, less;
	char *report;

	add_defaults("passenv = ALPHA BETA");
	plain = add_report("zzplain", "");
	more = add_report("zzmore", "passenv += GAMMA");
	less = add_report("zzless", "passenv -= BETA");
	start_with_variables();
	report = report_at(plain);
	check_fact(report, "env.BETA", "2");
	check_fact(report, "env.GAMMA", NULL);
	report = report_at(more);
	check_fact(report, "env.ALPHA", "1");
	check_fact(report, "env.GAMMA", "3");
	report = report_at(less);
	check_fact(report, "env.ALPHA", "1");
	check_fact(report, "env.BETA", NULL);
}
END_TEST

START_TEST(the_connection_is_in_the_environment)
{
	int port = add_report("zzreport", "");
	int fd;
	char *report;

	daemon_start();
	fd = client_connect_from("127.0.0.77", "127.0.0.1", port);
	report = client_read_all(fd).data;
	check_fact(report, "env.REMOTE_HOST", "127.0.0.77");
	check_fact(report, "env.REMOTE_ADDR", "127.0.0.77");
	check_fact(report, "env.REMOTE_PORT", textf("%d", client_port(fd)));
	check_fact(report, "env.PROTO", "TCP");
	check_fact(report, "env.TCPREMOTEIP", "127.0.0.77");
	check_fact(report, "env.TCPREMOTEPORT", textf("%d", client_port(fd)));
	check_fact(report, "env.TCPLOCALIP", "127.0.0.1");
	check_fact(report, "env.TCPLOCALPORT", textf("%d", port));
	close(fd);
}
END_TEST

START_TEST(the_connection_is_in_the_environment_over_ipv6)
{
	int port = add_report("zzreport", "");
	int fd;
	char *report;

	daemon_start();
	fd = client_connect("::1", port);
	report = client_read_all(fd).data;
	check_fact(report, "env.REMOTE_HOST", "::1");
	check_fact(report, "env.REMOTE_ADDR", "::1");
	check_fact(report, "env.REMOTE_PORT", textf("%d", client_port(fd)));
	check_fact(report, "env.TCPREMOTEIP", "::1");
	check_fact(report, "env.TCPLOCALIP", "::1");
	check_fact(report, "env.TCPLOCALPORT", textf("%d", port));
	close(fd);
}
END_TEST

START_TEST(the_datagram_is_in_the_environment)
{
	const char *file = place_path("environment");
	const char *script = place_script("server", "env >%s.new; mv %s.new %s; exec %s 1", file,
					  file, file, place_program("wait_datagram"));
	int port = add_service("zzdatagram", "socket_type = dgram\nserver = %s\n", script);
	const char *environment;
	int fd;

	daemon_start();
	fd = datagram_connect("127.0.0.77", NULL, port);
	datagram_send(fd, "x", 1);
	datagram_receive(fd);
	environment = file_read(file);
	ck_assert(text_matches(environment, "^REMOTE_HOST=127\\.0\\.0\\.77$"));
	ck_assert(text_matches(environment, "^REMOTE_ADDR=127\\.0\\.0\\.77$"));
	ck_assert(text_matches(environment, textf("^REMOTE_PORT=%d$", client_port(fd))));
	ck_assert(text_matches(environment, "^PROTO=UDP$"));
	ck_assert(text_matches(environment, "^UDPREMOTEIP=127\\.0\\.0\\.77$"));
	ck_assert(text_matches(environment, textf("^UDPREMOTEPORT=%d$", client_port(fd))));
	ck_assert(text_matches(environment, textf("^UDPLOCALPORT=%d$", port)));
	close(fd);
}
END_TEST

START_TEST(no_connection_inherits_the_variables_of_another)
{
	static const char *const stale[] = { "REMOTE_HOST=192.0.2.1", "TCPREMOTEIP=192.0.2.1",
					     "PROTO=SNAIL", NULL };
	int port = add_report("zzreport", "");
	char *report;

	daemon_start_with(&(struct daemon_options){ .environment = stale });
	report = report_at(port);
	check_fact(report, "env.REMOTE_HOST", "127.0.0.1");
	check_fact(report, "env.TCPREMOTEIP", "127.0.0.1");
	check_fact(report, "env.PROTO", "TCP");
	ck_assert_uint_eq(text_count(report, "^env\\.REMOTE_HOST="), 1);
}
END_TEST

/* --- identity --- */

START_TEST(a_server_runs_as_its_user)
{
	const struct passwd *user = getpwnam("nobody");
	int port = add_report("zzreport", "user = nobody");
	char *report;

	daemon_start();
	report = report_at(port);
	check_fact(report, "uid", textf("%d", (int)user->pw_uid));
	check_fact(report, "euid", textf("%d", (int)user->pw_uid));
	check_fact(report, "gid", textf("%d", (int)user->pw_gid));
	check_fact(report, "egid", textf("%d", (int)user->pw_gid));
	check_fact(report, "groups", "");
}
END_TEST

/* A user given by number has the same number as its group, unless group is set. */
static const struct {
	const char *lines, *uid, *gid;
} identities[] = {
	{ "user = 54321", "54321", "54321" },
	{ "user = 54321\ngroup = 4321", "54321", "4321" },
	{ "user = 54321\ngroup = daemon", "54321", "1" },
	{ "user = root\ngroup = daemon", "0", "1" },
};

START_TEST(user_and_group_may_be_numbers)
{
	int port = add_report("zzreport", identities[_i].lines);
	char *report;

	daemon_start();
	report = report_at(port);
	check_fact(report, "uid", identities[_i].uid);
	check_fact(report, "euid", identities[_i].uid);
	check_fact(report, "gid", identities[_i].gid);
	check_fact(report, "egid", identities[_i].gid);
	check_fact(report, "groups", "");
}
END_TEST

/* A user in a group other than its own; daemon, if there is none. */
static const char *sociable_user(gid_t *also)
{
	const struct group *group;
	const char *found = NULL;

	setgrent();
	while (!found && (group = getgrent()) != NULL)
		for (char **member = group->gr_mem; !found && *member; member++) {
			const struct passwd *user = getpwnam(*member);

			if (user && user->pw_gid != group->gr_gid) {
				found = textf("%s", *member);
				*also = group->gr_gid;
			}
		}
	endgrent();
	if (found)
		return found;
	*also = getpwnam("daemon")->pw_gid;
	return "daemon";
}

START_TEST(groups_gives_the_groups_of_the_user)
{
	gid_t also;
	const char *user = sociable_user(&also);
	int with = add_report("zzwith", textf("user = %s\ngroups = yes", user));
	int without = add_report("zzwithout", textf("user = %s\ngroups = no", user));
	char *groups;

	daemon_start();
	groups = fact(report_at(with), "groups");
	ck_assert_msg(text_matches(groups, textf("(^| )%d( |$)", (int)also)), "%s: %s", user,
		      groups);
	check_fact(report_at(without), "groups", "");
}
END_TEST

/* As with initgroups(3), the user's own group is always included, whatever group the
 * server runs with. */
START_TEST(groups_include_the_users_own)
{
	int port = add_report("zzgroups", "user = nobody\ngroup = daemon\ngroups = yes");
	const struct passwd *nobody = getpwnam("nobody");
	char *groups;

	ck_assert(nobody != NULL);
	daemon_start();
	groups = fact(report_at(port), "groups");
	ck_assert_msg(text_matches(groups, textf("(^| )%d( |$)", (int)nobody->pw_gid)), "%s",
		      groups);
}
END_TEST

START_TEST(groups_of_defaults_counts)
{
	gid_t also;
	const char *user = sociable_user(&also);
	int port;
	char *groups;

	add_defaults("groups = yes");
	port = add_report("zzreport", textf("user = %s", user));
	daemon_start();
	groups = fact(report_at(port), "groups");
	ck_assert_msg(text_matches(groups, textf("(^| )%d( |$)", (int)also)), "%s", groups);
}
END_TEST

START_TEST(a_server_cannot_become_root_again)
{
	int port = add_service("zzregain", "user = nobody\nserver = %s\n",
			       place_script("regain", "grep -E '^(Uid|CapEff|CapPrm):' "
						      "/proc/self/status"));
	const struct passwd *user = getpwnam("nobody");
	int uid = (int)user->pw_uid;
	char *status;

	daemon_start();
	status = ask(port, "");
	ck_assert_msg(text_matches(status, textf("^Uid:\t%d\t%d\t%d\t%d$", uid, uid, uid, uid)),
		      "%s", status);
	ck_assert_msg(text_matches(status, "^CapPrm:\t0+$"), "%s", status);
	ck_assert_msg(text_matches(status, "^CapEff:\t0+$"), "%s", status);
}
END_TEST

START_TEST(a_user_without_right_to_the_program_starts_nothing)
{
	int port, good;

	ck_assert_int_eq(chmod(place_program("report"), 0700), 0);
	port = add_service("zzprivate", "user = nobody\nserver = %s\n%s", place_path("report"),
			   log_everything());
	good = add_service("zzgood", HELLO);
	daemon_start();
	if (!client_is_refused(NULL, port)) {
		ck_assert_str_eq(ask(port, ""), "");
		service_wait_log(LOG_TIME "FAIL: zzprivate exec from=127\\.0\\.0\\.1$");
	}
	ck_assert_str_eq(ask(good, ""), "hello\n");
}
END_TEST

/* --- scheduling and limits --- */

START_TEST(nice_is_added)
{
	int port = add_report("zzreport", "nice = 7");

	daemon_start();
	check_fact(report_at(port), "nice", textf("%d", getpriority(PRIO_PROCESS, 0) + 7));
}
END_TEST

START_TEST(nice_may_be_negative_whatever_the_user)
{
	int own = add_report("zzroot", "nice = -5\nuser = root");
	int other = add_report("zznobody", "nice = -5\nuser = nobody");

	daemon_start();
	check_fact(report_at(own), "nice", textf("%d", getpriority(PRIO_PROCESS, 0) - 5));
	check_fact(report_at(other), "nice", textf("%d", getpriority(PRIO_PROCESS, 0) - 5));
}
END_TEST

static void set_umask_027(void)
{
	umask(027);
}

static void set_umask_0(void)
{
	umask(0);
}

START_TEST(umask_is_set)
{
	int plain, own;

	add_defaults("umask = 007");
	plain = add_report("zzplain", "");
	own = add_report("zzown", "umask = 0123");
	daemon_start();
	check_fact(report_at(plain), "umask", "007");
	check_fact(report_at(own), "umask", "123");
}
END_TEST

START_TEST(without_umask_nobody_else_may_write)
{
	int port = add_report("zzreport", "");

	daemon_start_with(&(struct daemon_options){ .prepare = set_umask_0 });
	check_fact(report_at(port), "umask", "022");
}
END_TEST

START_TEST(without_umask_that_of_the_start_counts)
{
	int port = add_report("zzreport", "");

	daemon_start_with(&(struct daemon_options){ .prepare = set_umask_027 });
	check_fact(report_at(port), "umask", "027");
}
END_TEST

/* The limit of the user's processes holds for what is started as that user, too: the program
 * is not run. Nobody else has this user. */
START_TEST(a_user_with_too_many_processes_gets_no_program)
{
	enum { MORE = 4 }; /* kernels count differently by one */
	int port = add_service("zzcat", CAT "user = %d\nrlimit_nproc = 1\n%s",
			       (int)getpid() + 200000, log_everything());
	int fds[MORE];

	daemon_start();
	for (int i = 0; i < MORE; i++)
		fds[i] = client_connect(NULL, port);
	service_wait_log("FAIL: zzcat exec from=");
	daemon_wait_log("exec /bin/cat: Resource temporarily unavailable");
	for (int i = 0; i < MORE; i++)
		close(fds[i]);
	wait_until(strcmp(ask(port, "word"), "word") == 0);
}
END_TEST

/* rlimit_data stays generous: the dynamic loader needs some. */
static const struct {
	const char *line, *name, *value;
} limits[] = {
	{ "rlimit_as = 512M", "limit.as", "536870912 536870912" },
	{ "rlimit_as = 600000000", "limit.as", "600000000 600000000" },
	{ "rlimit_data = 200m", "limit.data", "209715200 209715200" },
	{ "rlimit_stack = 4096K", "limit.stack", "4194304 4194304" },
	{ "rlimit_stack = 4096k", "limit.stack", "4194304 4194304" },
	{ "rlimit_rss = 99M", "limit.rss", "103809024 103809024" },
	{ "rlimit_cpu = 77", "limit.cpu", "77 77" },
	{ "rlimit_files = 77", "limit.files", "77 77" },
	{ "rlimit_nproc = 77", "limit.nproc", "77 77" },
	{ "rlimit_fsize = 2G", "limit.fsize", "2147483648 2147483648" },
	{ "rlimit_core = 0", "limit.core", "0 0" },
	{ "rlimit_memlock = 64K", "limit.memlock", "65536 65536" },
	{ "rlimit_cpu = UNLIMITED", "limit.cpu", "-1 -1" },
	{ "rlimit_rss = unlimited", "limit.rss", "-1 -1" },
};

START_TEST(limits_are_set)
{
	int port = add_report("zzreport", limits[_i].line);

	daemon_start();
	check_fact(report_at(port), limits[_i].name, limits[_i].value);
}
END_TEST

static void set_file_limits(void)
{
	struct rlimit limit = { .rlim_cur = 128, .rlim_max = 300 };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(126);
}

START_TEST(servers_may_open_what_the_hard_limit_allows)
{
	int port = add_report("zzreport", "");

	daemon_start_with(&(struct daemon_options){ .prepare = set_file_limits });
	check_fact(report_at(port), "limit.files", "300 300");
}
END_TEST

/* --- descriptors and signals --- */

static void check_descriptors(const char *report)
{
	check_fact(report, "descriptors", "0 1 2");
	check_fact(report, "same.1", "1");
	check_fact(report, "same.2", "1");
}

static void leave_descriptors_open(void)
{
	if (dup2(0, 9) < 0 || dup2(1, 77) < 0)
		_exit(126);
}

START_TEST(descriptors_0_1_2_are_the_connection)
{
	int port = add_report("zzreport", log_everything()), fd;
	char *report;

	add_service("echo", "type = INTERNAL UNLISTED\n");
	add_service("zzother", CAT);
	daemon_start_with(&(struct daemon_options){ .prepare = leave_descriptors_open });
	fd = client_connect(NULL, port);
	report = client_read_all(fd).data;
	check_descriptors(report);
	check_fact(report, "stream", "1");
	check_fact(report, "listening", "0");
	check_fact(report, "nonblocking", "0");
	check_fact(report, "peer.port", textf("%d", client_port(fd)));
	check_fact(report, "local.port", textf("%d", port));
	close(fd);
}
END_TEST

START_TEST(descriptors_of_other_sessions_stay_out)
{
	int port = add_report("zzreport", "");
	int echo = add_service("echo", "type = INTERNAL UNLISTED\n");
	int cat = add_service("zzcat", CAT), one, two;

	daemon_start();
	one = client_hold(cat);
	two = client_hold(echo);
	check_descriptors(report_at(port));
	/* No other process has them open either. */
	client_finish_sending(one);
	client_expect_end(one);
	client_finish_sending(two);
	client_expect_end(two);
}
END_TEST

static void close_standard_descriptors(void)
{
	close(0);
	close(1);
	close(2);
}

START_TEST(a_daemon_without_standard_descriptors_serves)
{
	int port = add_report("zzreport", "");
	int echo = add_service("echo", "type = INTERNAL UNLISTED\nsocket_type = dgram\n");

	daemon_start_with(&(struct daemon_options){ .prepare = close_standard_descriptors });
	check_descriptors(report_at(port));
	ck_assert_str_eq(datagram_ask(echo, "echo"), "echo");
}
END_TEST

START_TEST(nodelay_and_keepalive_are_set)
{
	int with = add_report("zzwith", "flags = NODELAY KEEPALIVE");
	int without = add_report("zzwithout", "");
	char *report;

	daemon_start();
	report = report_at(with);
	check_fact(report, "nodelay", "1");
	check_fact(report, "keepalive", "1");
	report = report_at(without);
	check_fact(report, "nodelay", "0");
	check_fact(report, "keepalive", "0");
}
END_TEST

START_TEST(what_the_server_says_on_stderr_reaches_the_client)
{
	int port = add_service("zzboth", "server = %s\n",
			       place_script("both", "read -r line; echo out:$line; "
						    "echo err:$line >&2"));

	daemon_start();
	ck_assert_str_eq(ask(port, "x\n"), "out:x\nerr:x\n");
}
END_TEST

static void upset_signals(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	for (int number = 1; number < SIGRTMAX; number++)
		signal(number, SIG_IGN);
}

START_TEST(signals_are_as_at_birth)
{
	int port = add_report("zzreport", "");
	char *report;

	daemon_start_with(&(struct daemon_options){ .prepare = upset_signals });
	report = report_at(port);
	check_fact(report, "SigBlk", "0000000000000000");
	check_fact(report, "SigIgn", "0000000000000000");
	check_fact(report, "SigPnd", "0000000000000000");
}
END_TEST

START_TEST(each_server_leads_a_session_of_its_own)
{
	int port = add_report("zzreport", "");
	char *report;

	daemon_start();
	report = report_at(port);
	check_fact(report, "session", fact(report, "pid"));
	check_fact(report, "group", fact(report, "pid"));
	check_fact(report, "parent", textf("%d", (int)daemon_pid()));
	check_fact(report, "directory", "/");
}
END_TEST

/* --- what the daemon was started with --- */

static void have_a_key(void)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
	    syscall(SYS_add_key, "user", "usherd-test", "secret", 6, KEY_SPEC_SESSION_KEYRING) < 0)
		_exit(126);
}

static bool has_keyrings(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0) > 0;
}

START_TEST(the_daemons_keys_are_not_the_servers)
{
	int port = add_report("zzreport", "");

	daemon_start_with(&(struct daemon_options){ .prepare = have_a_key });
	check_fact(report_at(port), "key.usherd-test", "0");
}
END_TEST

/* A service manager may give it to a daemon, to bind low ports. */
static void have_an_ambient_capability(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		_exit(126);
	sets[0].inheritable |= 1 << CAP_NET_BIND_SERVICE;
	if (syscall(SYS_capset, &header, sets) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_BIND_SERVICE, 0, 0) < 0)
		_exit(126);
}

START_TEST(ambient_capabilities_are_not_the_servers)
{
	int port = add_report("zzreport", "");

	daemon_start_with(&(struct daemon_options){ .prepare = have_an_ambient_capability });
	check_fact(report_at(port), "CapAmb", "0000000000000000");
}
END_TEST

/* --- what can't be started --- */

START_TEST(a_program_that_cannot_be_executed_is_reported)
{
	int port, good = add_service("zzgood", HELLO), fd;

	place_write("broken", "#!/no/such/interpreter\n");
	ck_assert_int_eq(chmod(place_path("broken"), 0755), 0);
	port = add_service("zzbroken", "server = %s\n%s", place_path("broken"), log_everything());
	daemon_start();
	fd = client_connect(NULL, port);
	client_expect_end(fd);
	service_wait_log(LOG_TIME "FAIL: zzbroken exec from=127\\.0\\.0\\.1$");
	daemon_wait_log("ERROR: .*broken.*No such file or directory");
	ck_assert_str_eq(ask(good, ""), "hello\n");
	daemon_stop();
	ck_assert_msg(!text_matches(service_log(), "START|EXIT"), "%s", service_log());
}
END_TEST

START_TEST(a_program_that_disappears_is_reported)
{
	const char *program = place_program("report");
	int port = add_service("zzgone", "server = %s\n%s", program, log_everything());

	daemon_start();
	ck_assert_int_eq(unlink(program), 0);
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log(LOG_TIME "FAIL: zzgone exec from=127\\.0\\.0\\.1$");
	place_program("report");
	check_fact(report_at(port), "arguments", "1");
}
END_TEST

START_TEST(a_wait_service_survives_a_program_that_disappears)
{
	const char *program = place_program("wait_datagram");
	int port = add_service("zzgone", "socket_type = dgram\nserver = %s\nserver_args = 1\n%s",
			       program, log_everything());
	int fd;

	daemon_start();
	ck_assert_int_eq(unlink(program), 0);
	fd = datagram_connect(NULL, NULL, port);
	datagram_send(fd, "lost", 4);
	service_wait_log(LOG_TIME "FAIL: zzgone exec from=127\\.0\\.0\\.1$");
	place_program("wait_datagram");
	datagram_send(fd, "found", 5);
	ck_assert(text_matches(datagram_receive(fd).data, " (lost|found)$"));
	close(fd);
}
END_TEST

static void add_identity_tests(Suite *suite)
{
	TCase *identity = daemon_tcase(suite, "identity");

	tcase_add_test(identity, a_server_runs_as_its_user);
	tcase_add_loop_test(identity, user_and_group_may_be_numbers, 0,
			    sizeof identities / sizeof identities[0]);
	tcase_add_test(identity, groups_gives_the_groups_of_the_user);
	tcase_add_test(identity, groups_include_the_users_own);
	tcase_add_test(identity, groups_of_defaults_counts);
	tcase_add_test(identity, a_server_cannot_become_root_again);
	tcase_add_test(identity, a_user_without_right_to_the_program_starts_nothing);
	tcase_add_test(identity, nice_may_be_negative_whatever_the_user);
	tcase_add_test(identity, a_user_with_too_many_processes_gets_no_program);
	if (has_keyrings())
		tcase_add_test(identity, the_daemons_keys_are_not_the_servers);
	tcase_add_test(identity, ambient_capabilities_are_not_the_servers);
}

static void add_limit_tests(Suite *suite)
{
	TCase *scheduling = daemon_tcase(suite, "limits");

	tcase_add_test(scheduling, nice_is_added);
	tcase_add_test(scheduling, umask_is_set);
	tcase_add_test(scheduling, without_umask_nobody_else_may_write);
	tcase_add_test(scheduling, without_umask_that_of_the_start_counts);
	tcase_add_loop_test(scheduling, limits_are_set, 0, sizeof limits / sizeof limits[0]);
	tcase_add_test(scheduling, servers_may_open_what_the_hard_limit_allows);
}

static void add_descriptor_tests(Suite *suite)
{
	TCase *descriptors = daemon_tcase(suite, "descriptors and signals");

	tcase_add_test(descriptors, descriptors_0_1_2_are_the_connection);
	tcase_add_test(descriptors, descriptors_of_other_sessions_stay_out);
	tcase_add_test(descriptors, a_daemon_without_standard_descriptors_serves);
	tcase_add_test(descriptors, nodelay_and_keepalive_are_set);
	tcase_add_test(descriptors, what_the_server_says_on_stderr_reaches_the_client);
	tcase_add_test(descriptors, signals_are_as_at_birth);
	tcase_add_test(descriptors, each_server_leads_a_session_of_its_own);
}

static void add_failure_tests(Suite *suite)
{
	TCase *failures = daemon_tcase(suite, "failures");

	tcase_add_test(failures, a_program_that_cannot_be_executed_is_reported);
	tcase_add_test(failures, a_program_that_disappears_is_reported);
	tcase_add_test(failures, a_wait_service_survives_a_program_that_disappears);
}

Suite *launching_suite(void)
{
	Suite *suite = suite_create("launching");
	TCase *arguments = daemon_tcase(suite, "arguments");
	TCase *environment = daemon_tcase(suite, "environment");

	tcase_add_test(arguments, the_first_argument_is_the_last_part_of_server);
	tcase_add_test(arguments, server_args_are_split_at_blanks);
	tcase_add_loop_test(arguments, nameinargs_takes_the_name_from_the_arguments, 0, 2);
	tcase_add_test(environment, the_environment_of_the_daemon_is_passed);
	tcase_add_test(environment, env_adds_and_overrides);
	tcase_add_test(environment, passenv_names_what_is_passed);
	tcase_add_test(environment, an_empty_passenv_passes_nothing);
	tcase_add_test(environment, passenv_of_defaults_is_edited);
	tcase_add_test(environment, the_connection_is_in_the_environment);
	tcase_add_test(environment, the_connection_is_in_the_environment_over_ipv6);
	tcase_add_test(environment, the_datagram_is_in_the_environment);
	tcase_add_test(environment, no_connection_inherits_the_variables_of_another);
	if (is_superuser())
		add_identity_tests(suite);
	add_limit_tests(suite);
	add_descriptor_tests(suite);
	add_failure_tests(suite);
	return suite;
}
