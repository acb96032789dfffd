/* Clients, servers and administrators that do what they should not: the daemon
 * goes on for everybody else. */
#include "support/client.h"
#include "support/daemon.h"
#include "support/deadline.h"
#include "support/place.h"
#include "support/process.h"

#include <check.h>
#include <string.h>
#include <unistd.h>

#define ECHO "type = INTERNAL UNLISTED\ncps = 0 0\n"

START_TEST(a_redirected_client_that_never_reads_stops_nobody)
{
	enum { TURNS = 2000 }; /* enough to fill every buffer on the way */
	int quiet = add_service("echo", ECHO);
	int target = add_service("chargen", "type = INTERNAL UNLISTED\n");
	int port = add_service("zzrd", "redirect = 127.0.0.1 %d\n", target), fd, held;

	daemon_start();
	held = client_hold(quiet);
	fd = client_connect(NULL, port);
	for (int i = 0; i < TURNS; i++)
		client_ping(held);
	close(fd);
	close(held);
}
END_TEST

/* Each of them may get a connection that the daemon is about to take off the queue. */
START_TEST(processes_that_a_wait_server_left_behind_stop_nobody)
{
	enum { CLIENTS = 400 };
	int quiet = add_service("echo", ECHO), held;
	int port = add_service("zzleft", "wait = yes\nserver = %s\ncps = 1 1\n%s",
			       place_program("leave_behind"), log_everything());

	daemon_start();
	held = client_hold(quiet);
	close(client_connect(NULL, port));
	service_wait_log("EXIT: zzleft");
	for (int i = 0; i < CLIENTS; i++) {
		close(client_connect(NULL, port));
		client_ping(held);
	}
	close(held);
}
END_TEST

Suite *hardship_suite(void)
{
	Suite *suite = suite_create("hardship");
	TCase *hardship = daemon_tcase(suite, "hardship");

	tcase_add_test(hardship, a_redirected_client_that_never_reads_stops_nobody);
	tcase_add_test(hardship, processes_that_a_wait_server_left_behind_stop_nobody);
	return suite;
}
