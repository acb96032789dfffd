/* The monitor reads no byte from a peer, and accepts no connection: strace(1) shows its system
 * calls while peers use all kinds of services. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/name_server.h"
#include "support/own_etc.h"
#include "support/place.h"
#include "support/process.h"

#include <arpa/nameser.h>
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- strace -------------------------------------------------------------------------- */

/* Calls that take a connection or bytes from a descriptor. */
#define CALLS \
	"accept,accept4,read,readv,pread64,preadv,preadv2,recvfrom,recvmsg,recvmmsg," \
	"splice,tee,sendfile,copy_file_range,io_uring_setup,io_uring_enter"
/* Calls that make a child another program or user. */
#define CHANGES "execve,setresuid"

static pid_t tracer;

static int run_strace(void)
{
	int status, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(null, STDERR_FILENO);
		execlp("strace", "strace", "-o", "/dev/null", "true", NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

/* Each thread and child gets a file of its own, trace.NUMBER. */
static void be_strace(void)
{
	int errors = open(place_path("strace.err"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	dup2(errors, STDERR_FILENO);
	execlp("strace", "strace", "-ff", "-yy", "-s", "64", "-e", "trace=" CALLS "," CHANGES, "-o",
	       place_path("trace"), "-p", textf("%d", (int)daemon_pid()), NULL);
	_exit(127);
}

static void trace_monitor(void)
{
	fflush(NULL);
	tracer = fork();
	ck_assert_int_ge(tracer, 0);
	if (tracer == 0)
		be_strace();
	wait_until(text_matches(place_read("strace.err"), "attached"));
}

static void end_trace(void)
{
	int status;

	ck_assert_int_eq(kill(tracer, SIGINT), 0);
	ck_assert_int_eq(waitpid(tracer, &status, 0), tracer);
}

/* --- what it saw ---------------------------------------------------------------------- */

/* From a pipe only one byte: the answer of a process that asks libwrap. */
static const char *const harmless[] = {
	"^read\\([0-9]+<(anon_inode:\\[)?(signalfd|eventfd|timerfd)",
	"^read\\([0-9]+<pipe:\\[[0-9]+\\]>, .*, 1\\) +=",
};

static bool is_on(const char *line, const char *descriptor)
{
	const char *shown = strchr(line, '<');

	return shown && strncmp(shown + 1, descriptor, strlen(descriptor)) == 0;
}

/* Matches a read from the channel, by the socket of the frontend's end. */
static const char *channel(void)
{
	const char *link = process_link(process_frontend(daemon_pid()), "fd/3");

	return textf("^recvmsg\\([0-9]+<UNIX[-A-Z]*:\\[[0-9]+->%.*s\\]>",
		     (int)strspn(link + 8, "0123456789"), link + 8);
}

static bool is_harmless(const char *line)
{
	if (is_on(line, "/")) /* a file, but no log: logs hold what peers sent */
		return !text_matches(line, "<[^>]*\\.log>");
	if (text_matches(line, channel()))
		return true;
	for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
		if (text_matches(line, harmless[i]))
			return true;
	return false;
}

/* Stops where a child becomes another program or user: it is no part of the monitor then. */
static void check_lines(const char *name, bool is_thread, const char *errors)
{
	char *rest = textf("%s", place_read(name)), *line;

	while ((line = strsep(&rest, "\n"))) {
		if (!is_thread && text_matches(line, "^(execve\\(|setresuid\\([1-9]).*\\) += 0$"))
			return;
		if (!text_matches(line, "^[a-z0-9_]+\\(") ||
		    text_matches(line, "^(execve|setresuid)\\("))
			continue;
		ck_assert_msg(!is_on(line, errors), "%s reads what a program says: %s", name, line);
		ck_assert_msg(is_harmless(line), "%s reads: %s", name, line);
	}
}

static bool is_thread_of_monitor(const char *number)
{
	return access(textf("/proc/%d/task/%s", (int)daemon_pid(), number), F_OK) == 0;
}

/* errors is the pipe of a program's standard error. Returns how many children there were. */
static unsigned check_trace(const char *errors)
{
	DIR *directory = opendir(place_path("."));
	const struct dirent *entry;
	unsigned children = 0;

	ck_assert_ptr_nonnull(directory);
	while ((entry = readdir(directory))) {
		bool is_thread;

		if (strncmp(entry->d_name, "trace.", 6) != 0)
			continue;
		is_thread = is_thread_of_monitor(entry->d_name + 6);
		children += !is_thread;
		check_lines(entry->d_name, is_thread, errors);
	}
	closedir(directory);
	return children;
}

/* --- what peers do -------------------------------------------------------------------- */

#define CLIENT "127.113.5.1"
#define NAME_SERVER "127.113.0.53"

static const struct name_record records[] = {
	{ "1.5.113.127.in-addr.arpa", ns_t_ptr, "good.example", 0 },
	{ "good.example", ns_t_a, CLIENT, 0 },
};

static void make_system(void)
{
	own_etc_enter();
	own_etc_write("passwd", "root:x:0:0::/:/bin/sh\n");
	own_etc_write("group", "root:x:0:\n");
	own_etc_write("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
	own_etc_write("resolv.conf", "nameserver " NAME_SERVER "\n");
	own_etc_write("hosts.allow", "ALL: .example 127.0.0.0/255.0.0.0\n");
	own_etc_write("hosts.deny", "ALL: ALL\n");
	name_server_start(NAME_SERVER, records, sizeof records / sizeof records[0]);
}

static int identd_open(void)
{
	struct endpoint here = endpoint_of(CLIENT, 113);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	return fd;
}

static void identd_answer(int identd, int client, int port)
{
	int fd = accept(identd, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	client_read_line(fd);
	client_send(fd, textf("%d,%d : USERID : UNIX : joe\r\n", client_port(client), port));
	close(fd);
}

static struct {
	int tcpmux, named, redirect, datagrams, wait, intercept, errors;
} ports;

static void add_services(void)
{
	int echo = add_service("echo", "id = streams\ntype = INTERNAL UNLISTED\n");

	ports.tcpmux = add_service("tcpmux", "type = INTERNAL UNLISTED\n");
	configure("service zzmux\n{\ntype = UNLISTED TCPMUXPLUS\nsocket_type = stream\n"
		  "wait = no\nuser = root\n" CAT "}\n");
	place_write("banner", "welcome\n");
	ports.named = add_service("zznamed",
				  CAT "only_from = good.example\nbanner = %s\n%s"
				      "log_on_success += USERID\n",
				  place_path("banner"), log_everything());
	ports.redirect = add_service("zzredirect", "redirect = 127.0.0.1 %d\n", echo);
	ports.datagrams = add_service("echo", "id = datagrams\ntype = INTERNAL UNLISTED\n"
					      "socket_type = dgram\n");
	ports.wait = add_service("zzwait", "socket_type = dgram\nserver = %s\n",
				 place_program("wait_datagram"));
	ports.intercept = add_service("zzintercept",
				      "wait = yes\nflags = INTERCEPT\nserver = %s\n"
				      "only_from = 127.0.0.1\n",
				      place_program("wait_stream"));
	ports.errors = add_service("zzerrors", "stderr = log\nserver = %s\n",
				   place_script("says", "readlink /proc/$$/fd/2\nread line\n"
							"echo \"$line\" >&2\n"));
}

static void talk_to_named(int identd)
{
	int fd = client_connect_from(CLIENT, NULL, ports.named);

	identd_answer(identd, fd, ports.named);
	client_expect(fd, "welcome\n");
	client_ping(fd);
	client_finish_sending(fd);
	client_expect_end(fd);
	service_wait_log("USERID: zznamed .*joe$");
}

static void talk_to_interceptor(void)
{
	int fd = client_connect(NULL, ports.intercept);

	client_read_line(fd);
	client_send(fd, "quit\n");
	client_expect_end(fd);
}

/* Returns the pipe of the program's standard error. */
static const char *talk_to_errors(void)
{
	int fd = client_connect(NULL, ports.errors);
	const char *pipe = client_read_line(fd);

	client_send(fd, "what a peer says\n");
	client_expect_end(fd);
	daemon_wait_log("zzerrors.*what a peer says");
	return pipe;
}

START_TEST(the_monitor_reads_nothing_of_peers)
{
	const char *pipe, *own;
	int identd;

	make_system();
	add_services();
	daemon_start();
	identd = identd_open();
	trace_monitor();
	ck_assert_str_eq(ask(ports.tcpmux, "zzmux\r\nline\n"), "+Go\r\nline\n");
	talk_to_named(identd);
	ck_assert_str_eq(ask(ports.redirect, "far away"), "far away");
	ck_assert_str_eq(datagram_ask(ports.datagrams, "near"), "near");
	datagram_ask(ports.wait, "quit");
	talk_to_interceptor();
	pipe = talk_to_errors();
	daemon_reload();
	ck_assert_str_eq(ask(ports.tcpmux, "zzmux\r\nline\n"), "+Go\r\nline\n");
	end_trace();
	ck_assert_uint_ge(check_trace(pipe), 6); /* programs, and processes that ask libwrap */
	own = place_read(textf("trace.%d", (int)daemon_pid()));
	ck_assert(text_matches(own, channel()));
	ck_assert(text_matches(own, "^read\\([0-9]+<[^>]*signalfd"));
	ck_assert_int_ne(access(place_path(textf("trace.%d", (int)process_frontend(daemon_pid()))),
				F_OK),
			 0);
}
END_TEST

Suite *monitor_reads_suite(void);

Suite *monitor_reads_suite(void)
{
	Suite *suite = suite_create("monitor_reads");
	TCase *tests = daemon_tcase(suite, "monitor_reads");

	if (!is_superuser() || !own_etc_is_allowed())
		return suite;
	if (run_strace() == 0)
		tcase_add_test(tests, the_monitor_reads_nothing_of_peers);
	else
		fputs("monitor_reads: left out, as strace can't be run here\n", stderr);
	return suite;
}
