/* Placeholders, as the programs see them. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Shows its arguments and its variable W, a line each, and stays until the client ends. */
static const char *show(void)
{
	return place_script("show", "printf '%%s\\n' \"$@\" \"$W\"; read line");
}

START_TEST(each_session_has_its_own_values)
{
	int port = add_service(
		"zzshow",
		"server = %s\nplaceholders = yes\n"
		"server_args = plain %%client:%%port %%session %%slot /home/%%user 5%%%%\n"
		"env = W=<%%slot> X=1\n",
		show());
	char *first = NULL;

	daemon_start();
	for (int slot = 0; slot < 3; slot++) {
		int fd = client_connect_from(textf("127.0.0.%d", slot + 2), NULL, port);
		char *session;

		client_expect(fd, textf("plain\n127.0.0.%d:%d\n", slot + 2, client_port(fd)));
		session = client_read_line(fd);
		ck_assert_msg(text_matches(session, "^[0-9a-f]+-[0-9a-f]+$"), "%s", session);
		ck_assert(!first || strcmp(first, session) != 0);
		first = session;
		client_expect(fd, textf("%d\n/home/%s\n5%%\n<%d>\n", slot, current_user(), slot));
	}
}
END_TEST

START_TEST(without_the_attribute_percent_signs_stay)
{
	int port = add_service("zzshow",
			       "server = %s\nserver_args = %%client %%%% %% %%nothing\n"
			       "env = W=%%slot\n",
			       show());

	daemon_start();
	ck_assert_str_eq(ask(port, ""), "%client\n%%\n%\n%nothing\n%slot\n");
}
END_TEST

/* The daemon's own variables are not the configuration's, nor is the program's own name. */
START_TEST(other_texts_stay)
{
	static const char *const environment[] = { "W=%slot%", NULL };
	const char *script = place_script("of%slot", "echo \"$0\" \"$1\" \"$W\"");
	int port = add_service("zzown", "server = %s\nplaceholders = yes\nserver_args = %%slot\n",
			       script);
	int named =
		add_service("zznamed", "server = /bin/cat\nflags = NAMEINARGS\nplaceholders = yes\n"
				       "server_args = cat-%%slot /proc/self/cmdline\n");

	daemon_start_with(&(struct daemon_options){ .environment = environment });
	ck_assert_str_eq(ask(port, ""), textf("%s 0 %%slot%%\n", script));
	ck_assert_str_eq(ask(named, ""), "cat-0");
}
END_TEST

/* The numbers are given back, also without session_env. */
START_TEST(a_slot_is_free_after_its_session)
{
	int port = add_service("zzslot",
			       "server = /bin/echo\nplaceholders = yes\nserver_args = %%slot\n%s",
			       log_everything());

	daemon_start();
	for (unsigned i = 1; i < 4; i++) {
		ck_assert_str_eq(ask(port, ""), "0\n");
		service_wait_lines(i, "EXIT: zzslot");
	}
}
END_TEST

START_TEST(the_end_command_has_those_of_its_session)
{
	const char *note = place_script("note", "echo \"$@\" $W >>%s", place_path("notes"));
	int port = add_service("zzend",
			       "server = /bin/echo\nplaceholders = yes\nserver_args = %%session\n"
			       "env = W=%%port\nend_command = %s %%client %%session %%slot\n",
			       note),
	    fd;
	const char *expected;

	daemon_start();
	fd = client_connect(NULL, port);
	expected = textf("127.0.0.1 %s 0 %d\n", client_read_line(fd), client_port(fd));
	client_expect_end(fd);
	wait_until(strcmp(place_read("notes"), expected) == 0);
}
END_TEST

START_TEST(the_client_is_the_one_behind_the_balancer)
{
	int port = add_service("zzproxy",
			       "server = /bin/echo\nplaceholders = yes\nproxy_protocol = v1\n"
			       "proxy_from = 127.0.0.1\nserver_args = %%client %%port\n");

	daemon_start();
	ck_assert_str_eq(ask(port, "PROXY TCP6 2001:db8::7 2001:db8::1 4711 22\r\n"),
			 "2001:db8::7 4711\n");
}
END_TEST

START_TEST(directories_are_the_sessions_own)
{
	const char *work = place_path("work");
	int port;

	if (!is_superuser())
		return;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(system(textf("mkdir -p %s/%d && chmod 755 %s %s/%d", work, i, work,
					      work, i)),
				 0);
	port = add_service("zzwork",
			   "server = /bin/sh\nserver_args = -c \"pwd; echo > file; ls; read x\"\n"
			   "placeholders = yes\ndirectory = %s/%%slot\nscratch = %s/%%slot 64K\n",
			   work, work);
	daemon_start();
	for (int slot = 0; slot < 2; slot++)
		client_expect(client_connect(NULL, port), textf("%s/%d\nfile\n", work, slot));
	ck_assert_int_ne(access(textf("%s/0/file", work), F_OK), 0);
	ck_assert_int_ne(access(textf("%s/1/file", work), F_OK), 0);
}
END_TEST

START_TEST(the_first_directory_must_be_there)
{
	int port;

	if (!is_superuser())
		return;
	port = add_service("zzwork", CAT "placeholders = yes\nscratch = %s/%%slot 64K\n",
			   place_path("nowhere"));
	add_service("zzcat", CAT);
	daemon_start();
	daemon_wait_log("service zzwork: scratch: there is no .*/nowhere/0 in /; make it");
	ck_assert(client_is_refused(NULL, port));
}
END_TEST

Suite *placeholders_suite(void)
{
	Suite *suite = suite_create("placeholders");
	TCase *tests = daemon_tcase(suite, "placeholders");

	tcase_add_test(tests, each_session_has_its_own_values);
	tcase_add_test(tests, without_the_attribute_percent_signs_stay);
	tcase_add_test(tests, other_texts_stay);
	tcase_add_test(tests, a_slot_is_free_after_its_session);
	tcase_add_test(tests, the_end_command_has_those_of_its_session);
	tcase_add_test(tests, the_client_is_the_one_behind_the_balancer);
	tcase_add_test(tests, directories_are_the_sessions_own);
	tcase_add_test(tests, the_first_directory_must_be_there);
	return suite;
}
