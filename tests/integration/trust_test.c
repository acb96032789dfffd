/* Root does not follow links of other users, or load configuration that they can
 * change. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"

#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STRANGER = 54321 };

/* A directory that belongs to that user. */
static const char *make_directory_of(uid_t owner, const char *name)
{
	const char *path = place_path(name);

	ck_assert_int_eq(mkdir(path, 0755), 0);
	ck_assert_int_eq(chown(path, owner, owner), 0);
	return path;
}

/* A file that only root may read and write. */
static const char *make_secret(void)
{
	place_write("secret", "root's own\n");
	ck_assert_int_eq(chmod(place_path("secret"), 0600), 0);
	return place_path("secret");
}

static void check_secret_is_whole(void)
{
	ck_assert_str_eq(place_read("secret"), "root's own\n");
}

/* --- standard error --- */

static int add_complainer(const char *errors)
{
	return add_service("zzerr", "user = %d\nserver = %s\nstderr = %s\n%s", STRANGER,
			   place_script("complain", "echo out\necho oops >&2\n"), errors,
			   log_everything());
}

START_TEST(stderr_follows_no_link_further_than_its_user)
{
	const char *directory = make_directory_of(STRANGER, "errors");
	const char *link = textf("%s/link", directory);
	int port = add_complainer(link);

	ck_assert_int_eq(symlink(make_secret(), link), 0);
	daemon_start();
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log("FAIL: zzerr exec from=127.0.0.1");
	daemon_wait_log("zzerr: descriptors .*: Permission denied");
	check_secret_is_whole();
}
END_TEST

START_TEST(stderr_makes_no_file_where_its_user_may_not)
{
	const char *directory = make_directory_of(0, "roots");
	int port = add_complainer(textf("%s/new", directory));

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "");
	daemon_wait_log("zzerr: descriptors .*: Permission denied");
	ck_assert_int_ne(access(textf("%s/new", directory), F_OK), 0);
}
END_TEST

START_TEST(the_file_of_stderr_is_its_users)
{
	const char *directory = make_directory_of(STRANGER, "errors");
	const char *errors = textf("%s/new", directory);
	int port = add_complainer(errors);
	struct stat status;

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "out\n");
	wait_until(text_matches(file_read(errors), "^oops$"));
	ck_assert_int_eq(stat(errors, &status), 0);
	ck_assert_uint_eq(status.st_uid, STRANGER);
	ck_assert_uint_eq(status.st_gid, STRANGER);
}
END_TEST

/* --- banners --- */

static const struct {
	const char *lines;
	mode_t mode;
	bool is_sent;
} banners[] = {
	{ "user = 54321\n", 0600, false }, { "user = 54321\n", 0644, true },
	{ "user = 54321\n", 0640, false }, { "user = 54321\ngroup = root\n", 0640, true },
	{ "user = root\n", 0600, true },
};

START_TEST(a_banner_is_read_as_the_service_s_user)
{
	int port = add_service("zzok", HELLO "%sbanner = %s\n", banners[_i].lines,
			       place_path("banner"));

	place_write("banner", "welcome\n");
	ck_assert_int_eq(chmod(place_path("banner"), banners[_i].mode), 0);
	daemon_start();
	for (int i = 0; i < 2; i++) /* the second: the reader's own rights are restored */
		ck_assert_str_eq(ask(port, ""),
				 banners[_i].is_sent ? "welcome\nhello\n" : "hello\n");
	if (!banners[_i].is_sent)
		daemon_wait_log("open of banner .*/banner failed: Permission denied");
}
END_TEST

static int add_echo_without_user(const char *banner)
{
	int port = port_take();

	configure("service echo\n{\ntype = INTERNAL UNLISTED\nid = echo-%d\nsocket_type = stream\n"
		  "protocol = tcp\nwait = no\nport = %d\nbanner = %s\n}\n",
		  port, port, banner);
	return port;
}

START_TEST(a_banner_is_read_as_nobody_where_there_is_no_user)
{
	int secret = add_echo_without_user(make_secret());
	int open = add_echo_without_user(place_path("banner"));

	place_write("banner", "welcome\n");
	daemon_start();
	ck_assert_str_eq(ask(secret, "echo"), "echo");
	ck_assert_str_eq(ask(open, "echo"), "welcome\necho");
}
END_TEST

/* What another user has put at the path of a file of root's. */
static void lay_link(const char *path)
{
	ck_assert_int_eq(symlink(make_secret(), path), 0);
}

static void lay_second_name(const char *path)
{
	ck_assert_int_eq(link(make_secret(), path), 0);
}

static const struct {
	void (*lay)(const char *path);
	const char *said;
} laid_banners[] = {
	{ lay_link, "Too many levels of symbolic links" },
	{ lay_second_name, "Operation not permitted" },
};

START_TEST(a_banner_of_root_is_not_read_where_others_lead_it)
{
	const char *banner = textf("%s/banner", make_directory_of(STRANGER, "theirs"));
	int port = add_service("zzok", HELLO "user = root\nbanner = %s\n", banner);

	laid_banners[_i].lay(banner);
	daemon_start();
	ck_assert_str_eq(ask(port, ""), "hello\n");
	daemon_wait_log("open of banner .*/theirs/banner failed: %s$", laid_banners[_i].said);
}
END_TEST

/* --- logs --- */

static int add_logger(const char *path)
{
	return add_service("zzlog", HELLO "log_type = FILE %s\nlog_on_success = PID\n", path);
}

static void lay_pipe(const char *path)
{
	ck_assert_int_eq(mkfifo(path, 0666), 0);
	ck_assert_int_ge(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), 0);
}

/* And what is said of it. */
static const struct {
	void (*lay)(const char *path);
	const char *said;
} laid[] = {
	{ lay_link, "a link there is not followed" },
	{ lay_second_name, "not regular, or has a second name" },
	{ lay_pipe, "not regular, or has a second name" },
};

START_TEST(a_log_is_not_written_where_others_lead_it)
{
	const char *directory = make_directory_of(STRANGER, "theirs");
	int bad = add_logger(textf("%s/log", directory)), good = add_service("zzok", HELLO);

	laid[_i].lay(textf("%s/log", directory));
	place_write("secret", "root's own\n");
	daemon_start();
	ck_assert_str_eq(ask(good, ""), "hello\n");
	ck_assert(client_is_refused(NULL, bad));
	daemon_wait_log("service zzlog: log file .*: .*/theirs belongs to uid %d: .*%s", STRANGER,
			laid[_i].said);
	check_secret_is_whole();
}
END_TEST

START_TEST(stderr_of_root_is_not_written_where_others_lead_it)
{
	const char *errors = textf("%s/errors", make_directory_of(STRANGER, "theirs"));
	int port = add_service("zzerr", "user = root\nserver = %s\nstderr = %s\n%s",
			       place_script("complain", "echo out\necho oops >&2\n"), errors,
			       log_everything());

	laid[_i].lay(errors);
	place_write("secret", "root's own\n");
	daemon_start();
	ck_assert_str_eq(ask(port, ""), "");
	service_wait_log("FAIL: zzerr exec from=127.0.0.1");
	daemon_wait_log("zzerr: descriptors .*: (Too many levels|Operation not permitted)");
	check_secret_is_whole();
}
END_TEST

START_TEST(a_directory_that_others_lay_is_not_followed)
{
	const char *directory = make_directory_of(STRANGER, "theirs");

	ck_assert_int_eq(mkdir(place_path("roots"), 0755), 0);
	ck_assert_int_eq(symlink(place_path("roots"), textf("%s/logs", directory)), 0);
	add_logger(textf("%s/logs/log", directory));
	add_service("zzok", HELLO);
	daemon_start();
	daemon_wait_log("service zzlog: log file .*a link there is not followed");
	ck_assert_int_ne(access(place_path("roots/log"), F_OK), 0);
}
END_TEST

START_TEST(a_link_is_not_followed_when_a_log_is_opened_again)
{
	const char *path = textf("%s/log", make_directory_of(STRANGER, "theirs"));
	int port = add_logger(path);

	daemon_start();
	ask(port, "");
	wait_until(text_count(file_read(path), "START: zzlog") == 1);
	ck_assert_int_eq(rename(path, textf("%s.1", path)), 0);
	lay_link(path);
	daemon_reload();
	daemon_wait_log(
		"log file .*/theirs/log: cannot be reopened: .*a link there is not followed");
	ask(port, "");
	wait_until(text_count(file_read(textf("%s.1", path)), "START: zzlog") == 2);
	check_secret_is_whole();
}
END_TEST

START_TEST(a_log_may_be_a_link_of_root_s)
{
	int port;

	ck_assert_int_eq(mkdir(place_path("data"), 0755), 0);
	ck_assert_int_eq(symlink("data", place_path("logs")), 0);
	ck_assert_int_eq(symlink("../data/real", place_path("data/log")), 0);
	port = add_logger(place_path("logs/log"));
	daemon_start();
	ask(port, "");
	wait_until(text_count(place_read("data/real"), "START: zzlog") == 1);
}
END_TEST

START_TEST(the_daemon_s_own_log_follows_no_such_link)
{
	const char *link = textf("%s/log", make_directory_of(STRANGER, "theirs"));
	struct outcome outcome;

	add_service("zzok", HELLO);
	configuration_write();
	lay_link(link);
	outcome = daemon_run((const char *const[]){ "-dontfork", "-f", configuration_path(),
						    "-filelog", link, NULL });
	ck_assert_int_eq(outcome.status, 1);
	ck_assert_msg(text_matches(outcome.errors, "can't open log file .*/theirs belongs to uid "
						   "54321: a link there is not followed"),
		      "%s", outcome.errors);
	check_secret_is_whole();
}
END_TEST

/* --- configuration --- */

static const char *service_text(const char *name, int port)
{
	return textf(
		"service %s\n{\ntype = UNLISTED\nsocket_type = stream\nwait = no\nuser = root\n"
		"port = %d\nserver = /bin/echo\nserver_args = hello\n}\n",
		name, port);
}

START_TEST(no_user_adds_a_service_of_root_s)
{
	int bad = port_take(), good;

	ck_assert_int_eq(mkdir(place_path("conf.d"), 0755), 0);
	ck_assert_int_eq(chmod(place_path("conf.d"), 0777), 0);
	place_write("conf.d/planted", "%s", service_text("zzbad", bad));
	ck_assert_int_eq(chown(place_path("conf.d/planted"), STRANGER, STRANGER), 0);
	configure("includedir %s\n", place_path("conf.d"));
	good = add_service("zzgood", HELLO);
	daemon_start();
	ck_assert_str_eq(ask(good, ""), "hello\n");
	ck_assert(client_is_refused(NULL, bad));
	daemon_wait_log("usherd\\.conf:1: .*/conf\\.d is writable by everybody, so others could "
			"decide what root does \\(chmod o-w .*/conf\\.d\\)");
}
END_TEST

START_TEST(what_runs_stays_when_its_file_is_refused)
{
	int port = port_take();

	place_write("extra", "%s", service_text("zzextra", port));
	configure("include %s\n", place_path("extra"));
	add_service("zzgood", HELLO);
	daemon_start();
	ck_assert_str_eq(ask(port, ""), "hello\n");
	ck_assert_int_eq(chmod(place_path("extra"), 0666), 0);
	daemon_reload();
	daemon_wait_log("/extra is writable by everybody");
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

START_TEST(a_new_owner_of_the_configuration_is_not_trusted)
{
	int bad = port_take(), good = add_service("zzgood", HELLO);

	daemon_start();
	ck_assert_int_eq(unlink(configuration_path()), 0);
	place_write("usherd.conf", "%s", service_text("zzbad", bad));
	ck_assert_int_eq(chown(configuration_path(), STRANGER, STRANGER), 0);
	daemon_signal(SIGHUP);
	daemon_wait_log("/usherd\\.conf belongs to uid %d, so others could decide", STRANGER);
	daemon_wait_log("reconfiguration failed; the old configuration stays in force");
	ck_assert(client_is_refused(NULL, bad));
	ck_assert_str_eq(ask(good, ""), "hello\n");
}
END_TEST

START_TEST(root_serves_from_the_clone_of_somebody_else)
{
	const char *clone = make_directory_of(STRANGER, "clone");
	const char *path = textf("%s/usherd.conf", clone), *program = textf("%s/hello", clone);
	int port = port_take();

	ck_assert_int_eq(mkdir(textf("%s/conf.d", clone), 0755), 0);
	ck_assert_int_eq(chown(textf("%s/conf.d", clone), STRANGER, STRANGER), 0);
	place_script("clone/hello", "echo hello\n");
	ck_assert_int_eq(chown(program, STRANGER, STRANGER), 0);
	place_write("clone/conf.d/hello",
		    "service zzhello\n{\ntype = UNLISTED\nsocket_type = stream\n"
		    "wait = no\nuser = root\nport = %d\nserver = %s\n}\n",
		    port, program);
	ck_assert_int_eq(chown(textf("%s/conf.d/hello", clone), STRANGER, STRANGER), 0);
	place_write("clone/usherd.conf", "includedir conf.d\n");
	ck_assert_int_eq(chown(path, STRANGER, STRANGER), 0);
	daemon_launch_logging_to("daemon.err",
				 (const char *const[]){ "-dontfork", "-f", path, NULL });
	ck_assert_str_eq(ask(port, ""), "hello\n");
}
END_TEST

START_TEST(root_runs_no_end_command_of_somebody_else)
{
	const char *program = place_script("end", "exit");
	int bad = add_service("zzbad", HELLO "end_command = %s x\n", program);
	int good =
		add_service("zzgood", HELLO "user = %d\nend_command = %s x\n", STRANGER, program);

	ck_assert_int_eq(chown(program, STRANGER, STRANGER), 0);
	daemon_start();
	ck_assert(client_is_refused(NULL, bad));
	ck_assert_str_eq(ask(good, ""), "hello\n");
	daemon_wait_log("service zzbad: end_command: %s belongs to uid %d, so others could decide "
			"what root does",
			program, STRANGER);
}
END_TEST

static void add_configuration_tests(Suite *suite)
{
	TCase *configuration = daemon_tcase(suite, "configuration");

	tcase_add_test(configuration, no_user_adds_a_service_of_root_s);
	tcase_add_test(configuration, what_runs_stays_when_its_file_is_refused);
	tcase_add_test(configuration, a_new_owner_of_the_configuration_is_not_trusted);
	tcase_add_test(configuration, root_runs_no_end_command_of_somebody_else);
	tcase_add_test(configuration, root_serves_from_the_clone_of_somebody_else);
}

START_TEST(check_says_what_is_closed_to_the_service_s_user)
{
	struct outcome outcome;

	ck_assert_int_eq(mkdir(place_path("roots"), 0755), 0);
	add_service("zzok", HELLO "user = %d\nbanner = %s\nstderr = %s\n", STRANGER, make_secret(),
		    place_path("roots/errors"));
	configuration_write();
	outcome = daemon_run((const char *const[]){ "-check", "-f", configuration_path(), NULL });
	ck_assert_msg(text_matches(outcome.output,
				   "advice: service zzok: the banner .*/secret can't be "
				   "sent: 54321 may not read .*/secret \\(mode 0600\\)"),
		      "%s", outcome.output);
	ck_assert_msg(text_matches(outcome.output,
				   "advice: service zzok: 54321 may not make files in "
				   ".*/roots \\(mode 0755\\); the file of stderr"),
		      "%s", outcome.output);
}
END_TEST

static void add_link_tests(Suite *suite)
{
	TCase *links = daemon_tcase(suite, "links");

	tcase_add_test(links, stderr_follows_no_link_further_than_its_user);
	tcase_add_test(links, stderr_makes_no_file_where_its_user_may_not);
	tcase_add_test(links, the_file_of_stderr_is_its_users);
	tcase_add_loop_test(links, a_banner_is_read_as_the_service_s_user, 0,
			    sizeof banners / sizeof banners[0]);
	tcase_add_test(links, check_says_what_is_closed_to_the_service_s_user);
	tcase_add_test(links, a_banner_is_read_as_nobody_where_there_is_no_user);
	tcase_add_loop_test(links, a_banner_of_root_is_not_read_where_others_lead_it, 0,
			    sizeof laid_banners / sizeof laid_banners[0]);
	tcase_add_loop_test(links, a_log_is_not_written_where_others_lead_it, 0,
			    sizeof laid / sizeof laid[0]);
	tcase_add_loop_test(links, stderr_of_root_is_not_written_where_others_lead_it, 0,
			    sizeof laid / sizeof laid[0]);
	tcase_add_test(links, a_directory_that_others_lay_is_not_followed);
	tcase_add_test(links, a_link_is_not_followed_when_a_log_is_opened_again);
	tcase_add_test(links, a_log_may_be_a_link_of_root_s);
	tcase_add_test(links, the_daemon_s_own_log_follows_no_such_link);
}

Suite *trust_suite(void)
{
	Suite *suite = suite_create("trust");

	if (!is_superuser())
		return suite;
	add_link_tests(suite);
	add_configuration_tests(suite);
	return suite;
}
