/* In namespaces of the test: only its /etc/hosts and a silent name server exist. */
#include "base/clock.h"
#include "base/container_of.h"
#include "base/loop.h"
#include "base/resolver.h"
#include "handlers/target.h"
#include "support/client.h"
#include "support/own_etc.h"
#include "support/place.h"
#include "support/process.h"
#include "support/stage.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

/* One request and its answer. */
static struct asker {
	struct target_wait wait;
	int answers;
	const char *found; /* addresses separated by spaces, or "none: REASON" */
} askers[LOOKUPS_MAX + 1];

static void take_answer(struct target_wait *wait, const struct address *addresses, size_t count,
			const char *reason)
{
	struct asker *asker = container_of(wait, struct asker, wait);
	char text[ADDRESS_TEXT_SIZE];

	asker->answers++;
	asker->found = count > 0 ? "" : textf("none: %s", reason);
	for (size_t i = 0; i < count; i++) {
		ck_assert_uint_eq(address_port(&addresses[i]), 0);
		asker->found = textf("%s%s%s", asker->found, i > 0 ? " " : "",
				     address_text(&addresses[i], text));
	}
}

static void set_up(void)
{
	own_etc_enter();
	own_etc_write("nsswitch.conf", "hosts: files\n");
	own_etc_write("host.conf", "multi on\n");
	stage_set_up();
	memset(askers, 0, sizeof askers);
}

static void ask_target(int i)
{
	askers[i].answers = 0;
	target_find(&askers[i].wait, "host", take_answer);
}

static const char *found_by(int i)
{
	ask_target(i);
	turn_until(askers[i].answers == 1);
	return askers[i].found;
}

static void let_pass(uint64_t milliseconds)
{
	timers_run(clock_now() + milliseconds);
}

/* --- remembering ---------------------------------------------------------------------- */

static const struct {
	const char *hosts, *found;
} hosts[] = {
	{ "127.0.0.1 host\n", "127.0.0.1" },
	{ "::1 host\n", "::1" },
	{ "::1 host\n127.0.0.1 host\n", "127.0.0.1 ::1" },
	{ "127.0.0.1 other\n", "none: Name or service not known" },
};

START_TEST(finds_addresses)
{
	const char *found;

	own_etc_write("hosts", hosts[_i].hosts);
	found = found_by(0);
	ck_assert_msg(strcmp(found, hosts[_i].found) == 0, "row %d: found %s", _i, found);
}
END_TEST

START_TEST(looks_again_when_it_is_time)
{
	own_etc_write("hosts", "127.0.0.1 host\n");
	ck_assert_str_eq(found_by(0), "127.0.0.1");
	own_etc_write("hosts", "127.0.0.2 host\n");
	let_pass(TARGET_FRESH_MS - 5000);
	ask_target(1);
	ck_assert_int_eq(askers[1].answers, 1); /* at once */
	ck_assert_str_eq(askers[1].found, "127.0.0.1");
	let_pass(TARGET_FRESH_MS);
	ask_target(2);
	ck_assert_int_eq(askers[2].answers, 0);
	turn_until(askers[2].answers == 1);
	ck_assert_str_eq(askers[2].found, "127.0.0.2");
}
END_TEST

START_TEST(looks_again_at_once_for_what_it_did_not_find)
{
	own_etc_write("hosts", "");
	ck_assert_str_eq(found_by(0), "none: Name or service not known");
	own_etc_write("hosts", "127.0.0.1 host\n");
	ck_assert_str_eq(found_by(0), "127.0.0.1");
}
END_TEST

START_TEST(goes_on_with_what_it_knew)
{
	own_etc_write("hosts", "127.0.0.1 host\n");
	ck_assert_str_eq(found_by(0), "127.0.0.1");
	own_etc_write("hosts", "");
	let_pass(TARGET_FRESH_MS);
	ck_assert_str_eq(found_by(0), "127.0.0.1");
	ask_target(1);
	ck_assert_int_eq(askers[1].answers, 1); /* without another lookup */
	let_pass(TARGET_REMEMBERED_MS);
	ck_assert_str_eq(found_by(0), "none: Name or service not known");
}
END_TEST

START_TEST(all_share_one_lookup)
{
	own_etc_write("hosts", "127.0.0.1 host\n");
	for (int i = 0; i <= LOOKUPS_MAX; i++)
		ask_target(i);
	target_cancel(&askers[1].wait);
	target_cancel(&askers[1].wait);
	turn_until(askers[0].answers == 1);
	ck_assert_int_eq(askers[1].answers, 0);
	ck_assert_int_eq(askers[LOOKUPS_MAX].answers, 1); /* in the same turn */
	ck_assert_str_eq(askers[LOOKUPS_MAX].found, "127.0.0.1");
	target_cancel(&askers[0].wait);
}
END_TEST

/* --- a name server that says nothing --------------------------------------------------- */

static void set_up_silence(void)
{
	struct endpoint here = endpoint_of(NULL, 53);
	int fd;

	set_up();
	own_etc_write("nsswitch.conf", "hosts: files dns\n");
	own_etc_write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30\n");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&here.address, here.length), 0);
}

START_TEST(does_not_wait_for_ever)
{
	ask_target(0);
	loop_turn(0);
	let_pass(TARGET_PATIENCE_MS - 5000);
	ck_assert_int_eq(askers[0].answers, 0);
	let_pass(TARGET_PATIENCE_MS);
	ck_assert_int_eq(askers[0].answers, 1);
	ck_assert_str_eq(askers[0].found, "none: Connection timed out");
	ask_target(1);
	let_pass(TARGET_PATIENCE_MS);
	ck_assert_int_eq(askers[1].answers, 1);
}
END_TEST

START_TEST(does_not_wait_for_ever_to_look_again)
{
	own_etc_write("hosts", "127.0.0.1 host\n");
	ck_assert_str_eq(found_by(0), "127.0.0.1");
	own_etc_write("hosts", "");
	let_pass(TARGET_FRESH_MS);
	ask_target(0);
	let_pass(TARGET_PATIENCE_MS);
	ck_assert_int_eq(askers[0].answers, 1);
	ck_assert_str_eq(askers[0].found, "127.0.0.1");
	ask_target(1);
	ck_assert_int_eq(askers[1].answers, 1); /* the next one does not wait at all */
	let_pass(TARGET_REMEMBERED_MS);         /* the host stays while its lookup runs */
	ask_target(2);
	ck_assert_int_eq(askers[2].answers, 0);
	let_pass(TARGET_PATIENCE_MS);
	ck_assert_str_eq(askers[2].found, "127.0.0.1");
}
END_TEST

/* --- several addresses ------------------------------------------------------------------- */

static int listen_at(const char *host, int port)
{
	struct endpoint here = endpoint_of(host, port);
	int fd = socket(here.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&here.address, here.length), 0);
	ck_assert_int_eq(listen(fd, 5), 0);
	return fd;
}

static const char *const places[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4", "::1" };

START_TEST(every_address_is_tried)
{
	int listener = listen_at(places[_i], 0), accepted = -1;

	own_etc_write("hosts", "127.0.0.2 host\n127.0.0.3 host\n127.0.0.4 host\n::1 host\n");
	stage.settings->redirect_host = textf("host");
	stage.settings->redirect_port = (uint16_t)client_port(listener);
	stage_serve(&redirect_handler);
	turn_until((accepted = accept(listener, NULL, NULL)) >= 0 || !stage.session);
	ck_assert_msg(stage.session != NULL, "%s was not tried", places[_i]);
	client_send(accepted, "hello");
	turn_until(recv(stage.client, (char[1]){ 0 }, 1, MSG_PEEK) == 1);
	client_expect(stage.client, "hello");
	ck_assert_str_eq(stage_messages(), "");
	close(accepted);
	close(listener);
}
END_TEST

START_TEST(one_failure_is_reported_for_all)
{
	int listener = listen_at("127.0.0.5", 0);
	unsigned before;

	own_etc_write("hosts", "127.0.0.2 host\n127.0.0.3 host\n::1 host\n");
	ck_assert_str_eq(found_by(0), "127.0.0.2 127.0.0.3 ::1");
	stage_connect();
	before = process_descriptors(getpid());
	stage.settings->redirect_host = textf("host");
	stage.settings->redirect_port = (uint16_t)client_port(listener);
	stage_serve(&redirect_handler);
	ck_assert_ptr_null(stage.session);
	ck_assert_str_eq(stage_messages(), "ERROR: service svc: can't connect to remote host "
					   "host: Connection refused\n");
	ck_assert_uint_eq(process_descriptors(getpid()), before - 1);
	close(listener);
}
END_TEST

Suite *target_suite(void);

Suite *target_suite(void)
{
	Suite *suite = suite_create("target");
	TCase *remembering = tcase_create("remembering"), *silence = tcase_create("silence");

	if (!own_etc_is_allowed())
		return suite;
	tcase_add_checked_fixture(remembering, set_up, stage_tear_down);
	tcase_set_timeout(remembering, 30);
	tcase_add_loop_test(remembering, finds_addresses, 0, ROWS(hosts));
	tcase_add_test(remembering, looks_again_when_it_is_time);
	tcase_add_test(remembering, looks_again_at_once_for_what_it_did_not_find);
	tcase_add_test(remembering, goes_on_with_what_it_knew);
	tcase_add_test(remembering, all_share_one_lookup);
	tcase_add_loop_test(remembering, every_address_is_tried, 0, ROWS(places));
	tcase_add_test(remembering, one_failure_is_reported_for_all);
	suite_add_tcase(suite, remembering);

	tcase_add_checked_fixture(silence, set_up_silence, stage_tear_down);
	tcase_set_timeout(silence, 30);
	tcase_add_test(silence, does_not_wait_for_ever);
	tcase_add_test(silence, does_not_wait_for_ever_to_look_again);
	suite_add_tcase(suite, silence);
	return suite;
}
