/* -import: what it prints is loaded, and served. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/place.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH(array) (int)(sizeof(array) / sizeof *(array))

static struct outcome import(const char *file)
{
	return daemon_run((const char *const[]){ "-import", place_path(file), NULL });
}

/* What -import prints for the file, which it must understand. */
static const char *imported(const char *file)
{
	struct outcome outcome = import(file);

	ck_assert_msg(outcome.status == 0, "status %d: %s", outcome.status, outcome.errors);
	ck_assert_str_eq(outcome.errors, "");
	return textf("%s", outcome.output);
}

/* A directory that a session can have as its root. */
static const char *make_root(void)
{
	static const char *const directories[] = { "root", "root/dev", "root/proc", "root/tmp",
						   "root/app" };

	for (int i = 0; i < LENGTH(directories); i++)
		ck_assert_int_eq(mkdir(place_path(directories[i]), 0755), 0);
	place_script("root/app/run", "exec cat\n");
	return place_path("root");
}

/* The text with one word in place of another. */
static const char *replaced(const char *text, const char *word, const char *other)
{
	const char *found = strstr(text, word);

	return found ? textf("%.*s%s%s", (int)(found - text), text, other,
			     replaced(found + strlen(word), word, other))
		     : text;
}

/* --- what it prints is loaded --- */

/* A file, and what it has; ROOT stands for a directory. */
static const struct {
	const char *name, *text;
} files[] = {
	{ "x.socket", "[Socket]\nListenStream=127.0.0.1:7777\nListenStream=[::1]:7777\n"
		      "Accept=yes\nMaxConnections=10\nMaxConnectionsPerSource=3\n"
		      "TriggerLimitIntervalSec=5s\nTriggerLimitBurst=50\nNoDelay=yes\nBacklog=9\n"
		      "[Service]\nExecStart=-/bin/cat -u \"a b\"\nStandardInput=socket\n"
		      "StandardError=journal\nUser=nobody\nEnvironment=\"A=b c\" D=e\nNice=5\n"
		      "UMask=0077\nLimitNOFILE=100:200\nLimitCPU=10\nRuntimeMaxSec=1min 30s\n"
		      "TimeoutStopSec=10\nWorkingDirectory=/\nNoNewPrivileges=yes\n"
		      "PassEnvironment=LANG\nCapabilityBoundingSet=\n" },
	{ "jail.socket", "[Socket]\nListenStream=7777\nAccept=yes\n[Service]\n"
			 "ExecStart=/app/run\nStandardInput=socket\nUser=nobody\n"
			 "RootDirectory=ROOT\nMemoryMax=64M\nTasksMax=10\nCPUQuota=20%\n"
			 "PrivateNetwork=yes\nPrivateDevices=yes\nPrivatePIDs=yes\n"
			 "SystemCallFilter=@system-service\nTemporaryFileSystem=/tmp:size=10M\n"
			 "ReadWritePaths=/app\n" },
	{ "run.sh",
	  "exec socat -T60 TCP-LISTEN:7777,reuseaddr,fork,bind=127.0.0.1,su=nobody,"
	  "max-children=5,range=10.0.0.0:255.0.0.0,nodelay EXEC:'/bin/cat -u',pty,stderr\n"
	  "socat TCP6-L:7778,fork SYSTEM:'echo \"$X\"; cat' &\n"
	  "socat TCP-L:7779,fork TCP:[::1]:80 &\n" },
	{ "Dockerfile", "FROM pwn.red/jail\nENV JAIL_TIME=60 JAIL_MEM=20M JAIL_PIDS=10 \\\n"
			"  JAIL_CPU=500 JAIL_CONNS=9 JAIL_CONNS_PER_IP=2\nENV JAIL_POW=5000\n"
			"ENV JAIL_TMP_SIZE=1M JAIL_ENV_FLAG=\"a b\" JAIL_SYSCALLS=ptrace,bpf\n" },
	{ "nsjail.cfg", "name: \"x\"\nmode: LISTEN\nport: 7777\ntime_limit: 100\ncwd: \"/app\"\n"
			"rlimit_as_type: HARD\nrlimit_nofile: 64\nrlimit_stack: 8\n"
			"cgroup_mem_max: 67108864\ncgroup_pids_max: 5\ncgroup_cpu_ms_per_sec: 50\n"
			"uidmap { inside_id: \"1000\" outside_id: \"1000\" }\n"
			"mount { src: \"ROOT\" dst: \"/\" is_bind: true }\n"
			"mount { dst: \"/tmp\" fstype: \"tmpfs\" rw: true options: \"size=1M\" }\n"
			"mount { dst: \"/proc\" fstype: \"proc\" }\n"
			"mount { src: \"/dev/null\" dst: \"/dev/null\" is_bind: true rw: true }\n"
			"exec_bin { path: \"/app/run\" arg: \"a b\" }\nenvar: [\"A=b\", \"C\"]\n" },
	{ "inetd.conf", "127.0.0.1:7777 stream tcp nowait/9/60/2 nobody /bin/cat cat -u\n" },
};

START_TEST(the_daemon_loads_what_is_printed)
{
	const char *root = make_root(), *text;
	struct outcome outcome;

	place_write(files[_i].name, "%s", replaced(files[_i].text, "ROOT", root));
	text = imported(files[_i].name);
	place_write("output", "%s", replaced(text, "= /srv\n", textf("= %s\n", root)));
	outcome = daemon_run((const char *const[]){ "-check", "-f", place_path("output"), NULL });
	ck_assert_msg(outcome.status == 0, "%s%s\n%s", outcome.output, outcome.errors, text);
	ck_assert_msg(!text_matches(outcome.output, ": (error|warning): "), "%s", outcome.output);
}
END_TEST

/* --- what it prints is served --- */

START_TEST(a_unit_and_its_neighbour_are_served)
{
	int port = port_take();

	place_write("hello.socket", "[Socket]\nListenStream=127.0.0.1:%d\nAccept=yes\n", port);
	place_write("hello@.service",
		    "[Service]\nExecStart=/bin/sh -c 'read line; echo \"$GREETING $line\"'\n"
		    "Environment=GREETING=hello\nStandardInput=socket\nUser=%s\n",
		    current_user());
	configure("%s", imported("hello.socket"));
	daemon_start();
	ck_assert_str_eq(ask(port, "world\n"), "hello world\n");
}
END_TEST

START_TEST(a_line_of_socat_is_served)
{
	int port = port_take();

	place_write("start", "socat TCP-LISTEN:%d,reuseaddr,fork,su=%s SYSTEM:'cat; echo end'\n",
		    port, current_user());
	configure("%s", imported("start"));
	daemon_start();
	ck_assert_str_eq(ask(port, "line\n"), "line\nend\n");
}
END_TEST

START_TEST(several_files_become_one_configuration)
{
	struct outcome outcome;

	place_write("one", "socat TCP-L:7777,fork EXEC:/bin/cat,pgid=1\n");
	place_write("two", "socat TCP-L:7778,fork EXEC:/bin/cat\n");
	outcome = daemon_run(
		(const char *const[]){ "-import", place_path("one"), place_path("two"), NULL });
	ck_assert_int_eq(outcome.status, 0);
	ck_assert_msg(text_matches(outcome.output, "^service cat$"), "%s", outcome.output);
	ck_assert_msg(text_matches(outcome.output, "^service cat-2$"), "%s", outcome.output);
	ck_assert_msg(text_matches(outcome.output, "^# .*one:1: pgid: there is no counterpart"),
		      "%s", outcome.output);
}
END_TEST

/* --- errors --- */

START_TEST(a_file_of_another_kind_is_an_error)
{
	struct outcome outcome;

	place_write("letter", "Dear reader,\n");
	outcome = import("letter");
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_str_eq(outcome.output, "");
	ck_assert_msg(text_matches(outcome.errors, "letter: error: this is neither"), "%s",
		      outcome.errors);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_an_error)
{
	struct outcome outcome = import("missing");

	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.errors, "missing: error: No such file"), "%s",
		      outcome.errors);
	outcome = import(".");
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.errors, "error: it can't be read"), "%s",
		      outcome.errors);
}
END_TEST

START_TEST(a_file_without_end_is_an_error)
{
	struct outcome outcome = daemon_run((const char *const[]){ "-import", "/dev/zero", NULL });

	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.errors, "more than 256 KiB"), "%s", outcome.errors);
}
END_TEST

Suite *import_suite(void)
{
	Suite *suite = suite_create("import");
	TCase *tcase = daemon_tcase(suite, "import");

	tcase_add_loop_test(tcase, the_daemon_loads_what_is_printed, 0, LENGTH(files));
	tcase_add_test(tcase, a_unit_and_its_neighbour_are_served);
	tcase_add_test(tcase, a_line_of_socat_is_served);
	tcase_add_test(tcase, several_files_become_one_configuration);
	tcase_add_test(tcase, a_file_of_another_kind_is_an_error);
	tcase_add_test(tcase, a_file_that_cannot_be_read_is_an_error);
	tcase_add_test(tcase, a_file_without_end_is_an_error);
	return suite;
}
