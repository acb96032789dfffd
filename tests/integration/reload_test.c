/* SIGHUP applies what has changed and leaves the rest alone. An error never ends a running
 * service. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The test chooses the port, so that it can write the service again. */
static void write_service(const char *name, int port, const char *lines)
{
	add_service(name, "port = %d\n%s", port, lines);
}

static bool is_served(int port)
{
	return !client_is_refused(NULL, port);
}

static void check_hello(int port)
{
	ck_assert_str_eq(ask(port, ""), "hello\n");
}

/* --- logs --- */

static const char *log_at(const char *name)
{
	return textf("log_type = FILE %s\nlog_on_success = PID EXIT\n", place_path(name));
}

static void check_logged(int port, const char *name, const char *service)
{
	check_hello(port);
	wait_until(text_matches(place_read(name), textf("EXIT: %s ", service)));
}

START_TEST(another_service_may_have_the_log_of_a_removed_one)
{
	int old = port_take(), new = port_take();

	write_service("zzold", old, textf(HELLO "%s", log_at("log")));
	daemon_start();
	check_logged(old, "log", "zzold");
	configuration_clear();
	write_service("zznew", new, textf(HELLO "%s", log_at("log")));
	daemon_reload();
	check_logged(new, "log", "zznew");
}
END_TEST

START_TEST(two_services_swap_their_logs)
{
	int one = port_take(), two = port_take();

	write_service("zzone", one, textf(HELLO "%s", log_at("first")));
	write_service("zztwo", two, textf(HELLO "%s", log_at("second")));
	daemon_start();
	check_logged(one, "first", "zzone");
	check_logged(two, "second", "zztwo");
	configuration_clear();
	write_service("zzone", one, textf(HELLO "%s", log_at("second")));
	write_service("zztwo", two, textf(HELLO "%s", log_at("first")));
	daemon_reload();
	check_logged(one, "second", "zzone");
	check_logged(two, "first", "zztwo");
}
END_TEST

/* --- services --- */

START_TEST(an_added_service_is_served)
{
	int old = port_take(), added = port_take(), held;

	write_service("zzold", old, CAT);
	daemon_start();
	held = client_hold(old);
	write_service("zzadded", added, HELLO);
	daemon_reload();
	check_hello(added);
	client_ping(held);
	ck_assert_str_eq(ask(old, "still"), "still");
	close(held);
}
END_TEST

START_TEST(a_service_with_a_long_id_is_untouched)
{
	int port = add_service("zzcat", CAT "id = zz%0300d\n", 1), held;

	daemon_start();
	held = client_hold(port);
	daemon_reload();
	daemon_wait_log("Reconfigured: new=0 old=1 dropped=0");
	client_ping(held);
	close(held);
}
END_TEST

START_TEST(an_unchanged_service_is_untouched)
{
	int port = port_take(), held;
	char *socket;

	write_service("zzsame", port, CAT "instances = 2\n");
	daemon_start();
	held = client_hold(port);
	socket = listener_inode(port);
	for (int i = 0; i < 3; i++) {
		daemon_reload();
		client_ping(held);
	}
	ck_assert_str_eq(listener_inode(port), socket);
	ck_assert_str_eq(ask(port, "more"), "more");
	client_finish_sending(held);
	client_expect_end(held);
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

START_TEST(changed_attributes_count_for_new_clients)
{
	int port = port_take(), held;
	char *socket;

	write_service("zzchanged", port, CAT);
	daemon_start();
	held = client_hold(port);
	socket = listener_inode(port);
	configuration_clear();
	write_service("zzchanged", port, "server = /bin/echo\nserver_args = changed\n");
	daemon_reload();
	ck_assert_str_eq(ask(port, ""), "changed\n");
	client_ping(held);
	ck_assert_str_eq(listener_inode(port), socket);
	close(held);
}
END_TEST

START_TEST(a_changed_port_moves_the_service)
{
	int before = port_take(), after = port_take(), held;

	write_service("zzmoved", before, CAT);
	daemon_start();
	held = client_hold(before);
	configuration_clear();
	write_service("zzmoved", after, CAT);
	daemon_reload();
	ck_assert_str_eq(ask(after, "here"), "here");
	ck_assert(!is_served(before));
	close(held);
}
END_TEST

START_TEST(a_changed_address_moves_the_service)
{
	int port = port_take();

	write_service("zzmoved", port, HELLO "bind = 127.0.0.2\n");
	daemon_start();
	ck_assert_str_eq(ask_at("127.0.0.2", port, ""), "hello\n");
	configuration_clear();
	write_service("zzmoved", port, HELLO "bind = 127.0.0.3\n");
	daemon_reload();
	ck_assert_str_eq(ask_at("127.0.0.3", port, ""), "hello\n");
	ck_assert(client_is_refused("127.0.0.2", port));
	configuration_clear();
	write_service("zzmoved", port, HELLO);
	daemon_reload();
	check_hello(port);
	ck_assert_str_eq(ask_at("127.0.0.2", port, ""), "hello\n");
}
END_TEST

START_TEST(two_services_swap_their_ports)
{
	int one = port_take(), two = port_take();

	write_service("zzone", one, "server = /bin/echo\nserver_args = one\n");
	write_service("zztwo", two, "server = /bin/echo\nserver_args = two\n");
	daemon_start();
	ck_assert_str_eq(ask(one, ""), "one\n");
	configuration_clear();
	write_service("zzone", two, "server = /bin/echo\nserver_args = one\n");
	write_service("zztwo", one, "server = /bin/echo\nserver_args = two\n");
	daemon_reload();
	wait_until(is_served(one) && is_served(two));
	ck_assert_str_eq(ask(two, ""), "one\n");
	ck_assert_str_eq(ask(one, ""), "two\n");
}
END_TEST

/* --- the socket of a service that changes --- */

static const struct {
	const char *before, *after;
} changes[] = {
	{ "zzsame\n" CAT, "zzsame\n" CAT "flags = NODELAY KEEPALIVE\n" },
	{ "zzsame\n" CAT "flags = NODELAY KEEPALIVE\n", "zzsame\n" CAT },
	{ "zzsame\n" CAT "flags = NODELAY\n", "zzsame\n" CAT "flags = KEEPALIVE NORETRY\n" },
	{ "zzsame\n" CAT, "zzsame\n" CAT "id = zzother\n" },
	{ "zzsame\n" CAT, "zzother\n" CAT },
	{ "echo\n" CAT, "echo\ntype = INTERNAL UNLISTED\n" },
	{ "echo\ntype = INTERNAL UNLISTED\n", "zzsame\n" CAT },
	{ "echo\ntype = INTERNAL UNLISTED\n", "echo\n" CAT "id = zzother\nbind = 0.0.0.0\n" },
	{ "zzsame\n" CAT "flags = IPv4\n", "zzother\n" CAT "bind = 0.0.0.0\n" },
};

/* The first line of text is the name. */
static void write_named(const char *text, int port)
{
	const char *lines = strchr(text, '\n') + 1;

	add_service(textf("%.*s", (int)(lines - 1 - text), text),
		    "port = %d\ninstances = 1\nat_limit = queue\non_remove = drain\n%s", port,
		    lines);
}

/* In the family that both have. */
static bool has_other_address(int change)
{
	return !strstr(changes[change].before, "IPv4") && strstr(changes[change].after, "0.0.0.0");
}

START_TEST(a_changed_service_keeps_its_socket_and_who_queues_there)
{
	enum { QUEUED = 5 };
	int port = port_take(), held, fds[QUEUED];
	char *socket;

	write_named(changes[_i].before, port);
	daemon_start();
	held = client_hold(port);
	socket = listener_inode(port);
	for (int i = 0; i < QUEUED; i++)
		fds[i] = client_connect(NULL, port);
	configuration_clear();
	write_named(changes[_i].after, port);
	daemon_reload();
	ck_assert_int_eq(strcmp(listener_inode(port), socket) == 0, !has_other_address(_i));
	client_finish_sending(held);
	client_expect_end(held);
	for (int i = 0; i < QUEUED && !has_other_address(_i); i++) {
		client_ping(fds[i]);
		client_finish_sending(fds[i]);
		client_expect_end(fds[i]);
	}
	ck_assert_str_eq(ask(port, "again"), "again");
	ck_assert(!text_matches(daemon_log(), "bind failed"));
}
END_TEST

START_TEST(services_that_swap_their_ports_keep_who_queues_there)
{
	int one = port_take(), two = port_take(), held[2], fds[2];
	const char *lines = CAT "instances = 1\nat_limit = queue\n";
	char *socket;

	write_service("zzone", one, lines);
	write_service("zztwo", two, lines);
	daemon_start();
	held[0] = client_hold(one);
	held[1] = client_hold(two);
	fds[0] = client_connect(NULL, one);
	fds[1] = client_connect(NULL, two);
	socket = listener_inode(one);
	configuration_clear();
	write_service("zzone", two, lines);
	write_service("zztwo", one, lines);
	daemon_reload();
	ck_assert_str_eq(listener_inode(one), socket);
	for (int i = 0; i < 2; i++) {
		client_finish_sending(held[i]);
		client_expect_end(held[i]);
	}
	for (int i = 0; i < 2; i++) {
		client_ping(fds[i]);
		client_finish_sending(fds[i]);
		client_expect_end(fds[i]);
	}
	ck_assert(!text_matches(daemon_log(), "bind failed"));
}
END_TEST

START_TEST(changed_options_of_the_socket_count_for_new_clients)
{
	int port = port_take();
	const char *report = textf("server = %s\n", place_program("report"));

	write_service("zzreport", port, report);
	daemon_start();
	ck_assert(text_matches(ask(port, ""), "^nodelay=0$"));
	configuration_clear();
	write_service("zzreport", port, textf("%sflags = NODELAY KEEPALIVE\n", report));
	daemon_reload();
	ck_assert(text_matches(ask(port, ""), "^nodelay=1$"));
	ck_assert(text_matches(ask(port, ""), "^keepalive=1$"));
	configuration_clear();
	write_service("zzreport", port, report);
	daemon_reload();
	ck_assert(text_matches(ask(port, ""), "^nodelay=0$"));
	ck_assert(text_matches(ask(port, ""), "^keepalive=0$"));
}
END_TEST

static void quit(int client)
{
	client_send(client, "quit\n");
	client_expect_end(client);
}

START_TEST(a_wait_service_that_waits_no_more_keeps_its_socket)
{
	int port = port_take(), held;
	char *socket;

	add_service("zzwait", "port = %d\nwait = yes\nserver = %s\n", port,
		    place_program("wait_stream"));
	daemon_start();
	socket = listener_inode(port);
	configuration_clear();
	write_service("zzcat", port, CAT);
	daemon_reload();
	ck_assert_str_eq(ask(port, "x"), "x");
	ck_assert_str_eq(listener_inode(port), socket);
	configuration_clear();
	add_service("zzwait", "port = %d\nwait = yes\nserver = %s\n", port,
		    place_program("wait_stream"));
	daemon_reload();
	held = client_connect(NULL, port);
	client_read_line(held);
	ck_assert_str_eq(listener_inode(port), socket);
	quit(held);
}
END_TEST

/* What the server has left behind could make the daemon wait for connections. It is in another
 * session and has no parent, so the daemon does not know whose it is. */
static const char *leaving_server(void)
{
	return place_script("leaves",
			    "(setsid sleep 60 <&0 >/dev/null 2>&1 & echo $! >%s)\nexec %s\n",
			    textf("%s", place_path("left")), place_program("wait_stream"));
}

/* True when what the server has left is out of its reach. */
static bool has_left(void)
{
	pid_t left = (pid_t)atoi(place_read("left"));

	return getsid(left) == left;
}

static const char *const next_names[] = { "zzwait", "zzcat" };

START_TEST(a_socket_that_a_server_has_had_is_not_for_others)
{
	int port = port_take(), held;
	char *socket;

	add_service("zzwait", "port = %d\nwait = yes\nserver = %s\n", port, leaving_server());
	daemon_start();
	held = client_connect(NULL, port);
	client_read_line(held);
	wait_until(has_left());
	socket = listener_inode(port);
	configuration_clear();
	write_service(next_names[_i], port, CAT);
	daemon_reload();
	wait_until(is_served(port));
	ck_assert_str_ne(listener_inode(port), socket);
	ck_assert_str_eq(ask(port, "x"), "x");
	ck_assert_int_eq(kill((pid_t)atoi(place_read("left")), SIGKILL), 0);
}
END_TEST

START_TEST(a_datagram_service_that_a_program_takes_over_keeps_its_socket)
{
	int port = port_take(), fd;

	add_service("echo", "port = %d\nsocket_type = dgram\ntype = INTERNAL UNLISTED\n", port);
	daemon_start();
	ck_assert_str_eq(datagram_ask(port, "built in"), "built in");
	configuration_clear();
	add_service("zzwait", "port = %d\nsocket_type = dgram\nserver = %s\n", port,
		    place_program("wait_datagram"));
	daemon_reload();
	fd = datagram_connect(NULL, NULL, port);
	datagram_send(fd, "program", 7);
	ck_assert_uint_gt(datagram_receive(fd).length, 0);
	ck_assert(!text_matches(daemon_log(), "bind failed"));
	close(fd);
}
END_TEST

START_TEST(a_service_whose_new_log_is_wrong_keeps_its_socket)
{
	int port = port_take(), held;
	char *socket;

	write_service("zzlog", port, CAT);
	daemon_start();
	held = client_hold(port);
	socket = listener_inode(port);
	configuration_clear();
	write_service("zzlog", port,
		      textf(HELLO "log_type = FILE %s\n", place_path("no/such/log")));
	daemon_reload();
	client_ping(held);
	ck_assert_str_eq(listener_inode(port), socket);
	ck_assert_str_eq(ask(port, "as before"), "as before");
	close(held);
}
END_TEST

START_TEST(sessions_of_a_removed_service_end)
{
	int removed = port_take(), kept = port_take(), held, other;

	add_service("zzremoved", "port = %d\n" CAT "%s", removed, log_everything());
	write_service("zzkept", kept, CAT);
	daemon_start();
	held = client_hold(removed);
	other = client_hold(kept);
	configuration_clear();
	write_service("zzkept", kept, CAT);
	daemon_reload();
	ck_assert(!is_served(removed));
	client_expect_end(held);
	service_wait_log(LOG_TIME "EXIT: zzremoved signal=[0-9]+ pid=");
	client_ping(other);
	close(other);
}
END_TEST

START_TEST(sessions_of_a_removed_service_may_run_on)
{
	int removed = port_take(), held;

	write_service("zzremoved", removed, CAT "on_remove = drain\n");
	daemon_start();
	held = client_hold(removed);
	configuration_clear();
	daemon_reload();
	ck_assert(!is_served(removed));
	client_ping(held);
	client_finish_sending(held);
	client_expect_end(held);
	wait_until(process_children(daemon_pid()) == 0);
}
END_TEST

START_TEST(sessions_of_a_removed_builtin_end)
{
	int removed = port_take(), held;

	add_service("echo", "port = %d\ntype = INTERNAL UNLISTED\n%s", removed, log_everything());
	daemon_start();
	held = client_hold(removed);
	configuration_clear();
	daemon_reload();
	ck_assert(!is_served(removed));
	client_expect_end(held);
	service_wait_log(LOG_TIME "EXIT: echo status=0 pid=0 ");
}
END_TEST

START_TEST(the_wait_server_of_a_removed_service_ends)
{
	int removed = port_take(), held;

	add_service("zzwait", "port = %d\nwait = yes\nserver = %s\n", removed,
		    place_program("wait_stream"));
	daemon_start();
	held = client_connect(NULL, removed);
	client_read_line(held);
	configuration_clear();
	daemon_reload();
	client_expect_end(held);
	wait_until(process_children(daemon_pid()) == 0);
	ck_assert(!is_served(removed));
}
END_TEST

START_TEST(a_stubborn_server_holds_up_nobody)
{
	int removed = port_take(), kept = port_take(), held;
	pid_t server;

	add_service("zzstubborn", "port = %d\nserver = %s\n", removed,
		    place_script("stubborn", "trap '' TERM HUP INT; echo up; "
					     "while :; do read -r line || exec sleep 1000; done"));
	write_service("zzkept", kept, HELLO);
	daemon_start();
	held = client_connect(NULL, removed);
	client_expect(held, "up\n");
	server = process_child(daemon_pid());
	configuration_clear();
	write_service("zzkept", kept, HELLO);
	daemon_reload();
	check_hello(kept);
	/* It is killed in the end. */
	wait_until(!process_runs(server));
	wait_until(process_children(daemon_pid()) == 0);
	close(held);
}
END_TEST

START_TEST(a_disabled_service_is_removed)
{
	int port = port_take();

	write_service("zzdisabled", port, HELLO);
	daemon_start();
	check_hello(port);
	configuration_clear();
	write_service("zzdisabled", port, HELLO "disable = yes\n");
	daemon_reload();
	ck_assert(!is_served(port));
	configuration_clear();
	write_service("zzdisabled", port, HELLO "disable = no\n");
	daemon_reload();
	check_hello(port);
}
END_TEST

START_TEST(a_wait_service_keeps_its_server)
{
	int port = port_take(), held;
	char *line;

	add_service("zzwait", "port = %d\nwait = yes\nserver = %s\n", port,
		    place_program("wait_stream"));
	daemon_start();
	held = client_connect(NULL, port);
	line = client_read_line(held);
	daemon_reload();
	client_ping(held);
	client_send(held, "next\n");
	client_expect_end(held);
	held = client_connect(NULL, port);
	ck_assert_str_eq(client_read_line(held), line);
	client_send(held, "quit\n");
	client_expect_end(held);
	held = client_connect(NULL, port);
	ck_assert_str_ne(client_read_line(held), line);
	client_send(held, "quit\n");
	client_expect_end(held);
}
END_TEST

START_TEST(a_drop_in_file_is_taken_up)
{
	int port = port_take();

	ck_assert_int_eq(mkdir(place_path("conf.d"), 0755), 0);
	configure("includedir %s\n", place_path("conf.d"));
	daemon_start();
	ck_assert(!is_served(port));
	place_write("conf.d/one",
		    "service zzone\n{\ntype = UNLISTED\nsocket_type = stream\n"
		    "protocol = tcp\nwait = no\nuser = %s\n" HELLO "port = %d\n}\n",
		    current_user(), port);
	daemon_reload();
	check_hello(port);
	ck_assert_int_eq(unlink(place_path("conf.d/one")), 0);
	daemon_reload();
	ck_assert(!is_served(port));
}
END_TEST

/* --- queues --- */

START_TEST(clients_in_the_queue_are_served)
{
	enum { QUEUED = 5 };
	int port = port_take(), held, fds[QUEUED];

	write_service("zzqueue", port, CAT "instances = 1\nat_limit = queue\n");
	daemon_start();
	held = client_hold(port);
	for (int i = 0; i < QUEUED; i++)
		fds[i] = client_connect(NULL, port);
	configuration_clear();
	write_service("zzqueue", port,
		      "server = /bin/echo\nserver_args = new\ninstances = 1\nat_limit = queue\n");
	daemon_reload();
	close(held);
	for (int i = 0; i < QUEUED; i++) {
		client_expect(fds[i], "new\n");
		client_expect_end(fds[i]);
	}
}
END_TEST

START_TEST(clients_that_come_during_a_reload_are_served)
{
	enum { CLIENTS = 30 };
	int port = port_take(), fds[CLIENTS];

	write_service("zzbusy", port, HELLO "cps = 0 0\n");
	daemon_start();
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_connect(NULL, port);
		if (i % 5 == 0)
			daemon_signal(SIGHUP);
	}
	for (int i = 0; i < CLIENTS; i++) {
		client_expect(fds[i], "hello\n");
		client_expect_end(fds[i]);
	}
}
END_TEST

/* --- errors --- */

START_TEST(a_broken_entry_keeps_its_running_version)
{
	int port = port_take(), other = port_take(), held;

	write_service("zzbroken", port, CAT);
	write_service("zzother", other, HELLO);
	daemon_start();
	held = client_hold(port);
	configuration_clear();
	write_service("zzbroken", port, CAT "instances = few\n");
	write_service("zzother", other, "server = /bin/echo\nserver_args = new\n");
	daemon_reload();
	client_ping(held);
	ck_assert_str_eq(ask(port, "as before"), "as before");
	ck_assert_str_eq(ask(other, ""), "new\n");
	daemon_wait_log("usherd\\.conf:%d: .*few", configuration_line("instances"));
	daemon_wait_log("zzbroken");
	close(held);
}
END_TEST

START_TEST(a_malformed_entry_keeps_its_running_version)
{
	int port = port_take(), held;

	write_service("zzbroken", port, CAT);
	daemon_start();
	held = client_hold(port);
	configuration_clear();
	write_service("zzbroken", port, CAT "instances 5\n");
	daemon_reload();
	client_ping(held);
	ck_assert_str_eq(ask(port, "as before"), "as before");
	close(held);
}
END_TEST

START_TEST(a_mended_entry_is_taken_up)
{
	int port = port_take();

	write_service("zzbroken", port, HELLO "instances = few\n");
	daemon_start();
	ck_assert(!is_served(port));
	configuration_clear();
	write_service("zzbroken", port, HELLO "instances = 5\n");
	daemon_reload();
	check_hello(port);
}
END_TEST

START_TEST(a_new_broken_entry_is_not_served)
{
	int port = port_take(), other = port_take();

	write_service("zzother", other, HELLO);
	daemon_start();
	write_service("zzbroken", port, CAT "instances = few\n");
	daemon_reload();
	ck_assert(!is_served(port));
	check_hello(other);
}
END_TEST

START_TEST(an_error_in_defaults_keeps_everything)
{
	int port = port_take(), added = port_take(), held;

	write_service("zzold", port, CAT);
	daemon_start();
	held = client_hold(port);
	configuration_clear();
	add_defaults("only_from = 1.2.3.4,5.6.7.8\n");
	write_service("zzold", port, HELLO);
	write_service("zzadded", added, HELLO);
	daemon_reload();
	client_ping(held);
	ck_assert_str_eq(ask(port, "as before"), "as before");
	ck_assert(!is_served(added));
	daemon_wait_log("usherd\\.conf:3: ");
	close(held);
}
END_TEST

START_TEST(a_missing_file_keeps_everything)
{
	int port = port_take(), held;

	write_service("zzold", port, CAT);
	daemon_start();
	held = client_hold(port);
	ck_assert_int_eq(rename(configuration_path(), place_path("elsewhere")), 0);
	daemon_signal(SIGHUP);
	daemon_wait_log("[Rr]econfiguration failed");
	client_ping(held);
	ck_assert_str_eq(ask(port, "as before"), "as before");
	close(held);
}
END_TEST

START_TEST(a_socket_passes_from_one_id_to_another)
{
	int port = port_take(), old = port_take();

	write_service("zzold", old, HELLO);
	write_service("zzholder", port, HELLO "bind = 127.0.0.1\n");
	daemon_start();
	configuration_clear();
	write_service("zzold", old, HELLO);
	write_service("zzheir", port, "server = /bin/echo\nserver_args = heir\nbind = 127.0.0.1\n");
	daemon_reload();
	wait_until(is_served(port));
	ck_assert_str_eq(ask(port, ""), "heir\n");
	check_hello(old);
}
END_TEST

/* --- limits and lists --- */

START_TEST(sessions_that_are_admitted_no_more_end)
{
	int port = port_take(), stranger, friend;

	write_service("zzlist", port, CAT);
	daemon_start();
	stranger = client_connect_from("127.0.0.6", NULL, port);
	client_ping(stranger);
	friend = client_connect_from("127.0.0.5", NULL, port);
	client_ping(friend);
	configuration_clear();
	write_service("zzlist", port, CAT "only_from = 127.0.0.5\n");
	daemon_reload();
	client_expect_end(stranger);
	client_ping(friend);
	ck_assert_str_eq(ask_from("127.0.0.6", port, "again"), "");
	close(friend);
}
END_TEST

START_TEST(lowered_instances_only_stop_new_ones)
{
	int port = port_take(), one, two;

	write_service("zzcat", port, CAT);
	daemon_start();
	one = client_hold(port);
	two = client_hold(port);
	configuration_clear();
	write_service("zzcat", port, CAT "instances = 1\n");
	daemon_reload();
	client_ping(one);
	client_ping(two);
	ck_assert_str_eq(ask(port, "full"), "");
	close(one);
	wait_until(process_children(daemon_pid()) == 1);
	ck_assert_str_eq(ask(port, "full"), "");
	close(two);
	wait_until(process_children(daemon_pid()) == 0);
	ck_assert_str_eq(ask(port, "free"), "free");
}
END_TEST

START_TEST(raised_instances_serve_who_waits)
{
	int port = port_take(), one, two;

	write_service("zzcat", port, CAT "instances = 1\nat_limit = queue\n");
	daemon_start();
	one = client_hold(port);
	two = client_connect(NULL, port);
	configuration_clear();
	write_service("zzcat", port, CAT "instances = 2\nat_limit = queue\n");
	daemon_reload();
	client_ping(two);
	client_ping(one);
	close(one);
	close(two);
}
END_TEST

START_TEST(a_changed_log_is_used)
{
	int port = port_take();

	add_service("zzlog", "port = %d\n" HELLO "log_type = FILE %s\nlog_on_success = PID EXIT\n",
		    port, place_path("first"));
	daemon_start();
	check_hello(port);
	wait_until(text_matches(place_read("first"), "EXIT: zzlog"));
	configuration_clear();
	add_service("zzlog", "port = %d\n" HELLO "log_type = FILE %s\nlog_on_success = PID EXIT\n",
		    port, place_path("second"));
	daemon_reload();
	check_hello(port);
	wait_until(text_matches(place_read("second"), "EXIT: zzlog"));
	ck_assert_uint_eq(text_count(place_read("first"), "START"), 1);
}
END_TEST

/* --- the reload itself --- */

START_TEST(one_line_sums_up)
{
	int kept = port_take(), dropped = port_take(), added = port_take();

	write_service("zzkept", kept, HELLO);
	write_service("zzdropped", dropped, HELLO);
	daemon_start();
	configuration_clear();
	write_service("zzkept", kept, HELLO);
	write_service("zzadded", added, HELLO);
	daemon_reload();
	ck_assert(
		text_matches(daemon_log(), "Reconfigured: new=1 old=1 dropped=1 \\(services\\)$"));
}
END_TEST

START_TEST(sigusr2_reloads_too)
{
	int port = port_take();

	daemon_start();
	write_service("zzadded", port, HELLO);
	configuration_write();
	daemon_signal(SIGUSR2);
	wait_until(is_served(port));
	check_hello(port);
}
END_TEST

START_TEST(many_reloads_leave_nothing_behind)
{
	int program = port_take(), echo = port_take(), datagram = port_take();
	unsigned before;

	write_service("zzhello", program, HELLO);
	add_service("zzlogged", "port = %d\n" HELLO "%s", port_take(), log_everything());
	write_service("echo", echo, "id = s\ntype = INTERNAL UNLISTED\n");
	write_service("echo", datagram, "id = d\ntype = INTERNAL UNLISTED\nsocket_type = dgram\n");
	daemon_start();
	check_hello(program);
	daemon_reload();
	before = process_descriptors(daemon_pid());
	for (int i = 0; i < 20; i++)
		daemon_reload();
	check_hello(program);
	ck_assert_str_eq(ask(echo, "echo"), "echo");
	ck_assert_str_eq(datagram_ask(datagram, "echo"), "echo");
	wait_until(process_children(daemon_pid()) == 0);
	ck_assert_uint_le(process_descriptors(daemon_pid()), before);
}
END_TEST

START_TEST(a_storm_of_signals_is_weathered)
{
	int port = port_take();

	write_service("zzhello", port, HELLO "cps = 0 0\n");
	daemon_start();
	for (int i = 0; i < 200; i++)
		daemon_signal(i % 2 ? SIGHUP : SIGUSR2);
	for (int i = 0; i < 20; i++)
		check_hello(port);
	ck_assert(daemon_is_running());
}
END_TEST

START_TEST(a_relative_name_of_the_configuration_is_kept)
{
	const char *const arguments[] = {
		"-dontfork", "-f", "usherd.conf", "-filelog", place_path("daemon.log"), NULL
	};
	int port = port_take();

	configuration_write();
	daemon_launch(arguments);
	write_service("zzadded", port, HELLO);
	daemon_reload();
	check_hello(port);
}
END_TEST

static void add_service_tests(Suite *suite)
{
	TCase *services = daemon_tcase(suite, "services");

	tcase_add_test(services, another_service_may_have_the_log_of_a_removed_one);
	tcase_add_test(services, two_services_swap_their_logs);
	tcase_add_test(services, an_added_service_is_served);
	tcase_add_test(services, a_service_with_a_long_id_is_untouched);
	tcase_add_test(services, an_unchanged_service_is_untouched);
	tcase_add_test(services, changed_attributes_count_for_new_clients);
	tcase_add_test(services, a_changed_port_moves_the_service);
	tcase_add_test(services, a_changed_address_moves_the_service);
	tcase_add_test(services, two_services_swap_their_ports);
	tcase_add_loop_test(services, a_changed_service_keeps_its_socket_and_who_queues_there, 0,
			    sizeof changes / sizeof changes[0]);
	tcase_add_test(services, services_that_swap_their_ports_keep_who_queues_there);
	tcase_add_test(services, changed_options_of_the_socket_count_for_new_clients);
	tcase_add_test(services, a_wait_service_that_waits_no_more_keeps_its_socket);
	tcase_add_loop_test(services, a_socket_that_a_server_has_had_is_not_for_others, 0,
			    sizeof next_names / sizeof next_names[0]);
	tcase_add_test(services, a_datagram_service_that_a_program_takes_over_keeps_its_socket);
	tcase_add_test(services, a_service_whose_new_log_is_wrong_keeps_its_socket);
	tcase_add_test(services, sessions_of_a_removed_service_end);
	tcase_add_test(services, sessions_of_a_removed_service_may_run_on);
	tcase_add_test(services, sessions_of_a_removed_builtin_end);
	tcase_add_test(services, the_wait_server_of_a_removed_service_ends);
	tcase_add_test(services, a_stubborn_server_holds_up_nobody);
	tcase_add_test(services, a_disabled_service_is_removed);
	tcase_add_test(services, a_wait_service_keeps_its_server);
	tcase_add_test(services, a_drop_in_file_is_taken_up);
	tcase_add_test(services, clients_in_the_queue_are_served);
	tcase_add_test(services, clients_that_come_during_a_reload_are_served);
}

static void add_error_tests(Suite *suite)
{
	TCase *errors = daemon_tcase(suite, "errors");

	tcase_add_test(errors, a_broken_entry_keeps_its_running_version);
	tcase_add_test(errors, a_malformed_entry_keeps_its_running_version);
	tcase_add_test(errors, a_mended_entry_is_taken_up);
	tcase_add_test(errors, a_new_broken_entry_is_not_served);
	tcase_add_test(errors, an_error_in_defaults_keeps_everything);
	tcase_add_test(errors, a_missing_file_keeps_everything);
	tcase_add_test(errors, a_socket_passes_from_one_id_to_another);
}

Suite *reload_suite(void)
{
	Suite *suite = suite_create("reload");
	TCase *limits, *itself;

	add_service_tests(suite);
	add_error_tests(suite);
	limits = daemon_tcase(suite, "limits and lists");
	tcase_add_test(limits, sessions_that_are_admitted_no_more_end);
	tcase_add_test(limits, lowered_instances_only_stop_new_ones);
	tcase_add_test(limits, raised_instances_serve_who_waits);
	tcase_add_test(limits, a_changed_log_is_used);
	itself = daemon_tcase(suite, "the reload itself");
	tcase_add_test(itself, one_line_sums_up);
	tcase_add_test(itself, sigusr2_reloads_too);
	tcase_add_test(itself, many_reloads_leave_nothing_behind);
	tcase_add_test(itself, a_storm_of_signals_is_weathered);
	tcase_add_test(itself, a_relative_name_of_the_configuration_is_kept);
	return suite;
}
