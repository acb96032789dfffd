/* Every test runs over poll and over epoll: the fixtures differ in how many
 * idle watches they set up beforehand. */
#include "base/loop.h"
#include "base/poller.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WATCHES_MAX = 700 };

static struct watch watches[WATCHES_MAX];
static int used;
static struct poller_event events[POLLER_BATCH];

static void ignore(struct watch *watch, short what)
{
	(void)watch;
	(void)what;
}

/* The watch has no event until its eventfd is written to. */
static struct watch *add_watch(short wanted)
{
	struct watch *watch = &watches[used++];
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	ck_assert_int_ge(fd, 0);
	watch_init(watch, fd, ignore);
	ck_assert_int_eq(poller_set(watch, wanted), 0);
	return watch;
}

static void set_up_poll(void)
{
	ck_assert_int_eq(poller_init(), 0);
	used = 0;
}

static void set_up_epoll(void)
{
	set_up_poll();
	for (int i = 0; i < POLLER_THRESHOLD - 1; i++)
		add_watch(LOOP_READ);
	ck_assert(!poller_uses_epoll());
	add_watch(LOOP_READ);
	ck_assert(poller_uses_epoll());
}

static void tear_down(void)
{
	for (int i = 0; i < used; i++) {
		poller_remove(&watches[i]);
		close(watches[i].fd);
	}
	poller_free();
	ck_assert(!poller_uses_epoll());
}

static void make_ready(struct watch *watch)
{
	ck_assert_int_eq(eventfd_write(watch->fd, 1), 0);
}

START_TEST(tells_nothing_when_nothing_happens)
{
	add_watch(LOOP_READ);
	ck_assert_int_eq(poller_wait(events, 0), 0);
	ck_assert_int_eq(poller_wait(events, 1), 0);
}
END_TEST

START_TEST(tells_who_is_ready_as_long_as_it_is)
{
	struct watch *one = add_watch(LOOP_READ);

	add_watch(LOOP_READ);
	make_ready(one);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(poller_wait(events, -1), 1);
		ck_assert_ptr_eq(events[0].watch, one);
		ck_assert_int_eq(events[0].events, LOOP_READ);
	}
}
END_TEST

START_TEST(tells_only_what_is_wanted)
{
	struct watch *watch = add_watch(LOOP_READ);

	make_ready(watch);
	ck_assert_int_eq(poller_set(watch, LOOP_WRITE), 0);
	ck_assert_int_eq(poller_wait(events, -1), 1);
	ck_assert_int_eq(events[0].events, LOOP_WRITE);
	ck_assert_int_eq(poller_set(watch, LOOP_READ | LOOP_WRITE), 0);
	ck_assert_int_eq(poller_wait(events, -1), 1);
	ck_assert_int_eq(events[0].events, LOOP_READ | LOOP_WRITE);
}
END_TEST

START_TEST(tells_of_a_peer_that_is_gone)
{
	struct watch *watch = &watches[used++];
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	watch_init(watch, pair[0], ignore);
	ck_assert_int_eq(poller_set(watch, LOOP_READ), 0);
	close(pair[1]);
	ck_assert_int_eq(poller_wait(events, -1), 1);
	ck_assert_int_eq(events[0].events, LOOP_READ | POLLHUP);
}
END_TEST

START_TEST(a_removed_watch_is_silent)
{
	struct watch *one = add_watch(LOOP_READ);
	struct watch *other = add_watch(LOOP_READ);
	struct watch *third = add_watch(LOOP_READ);

	make_ready(one);
	make_ready(third);
	poller_remove(one);
	poller_remove(other);
	poller_remove(other);
	ck_assert_int_eq(poller_wait(events, -1), 1);
	ck_assert_ptr_eq(events[0].watch, third);
	ck_assert_int_eq(poller_set(third, LOOP_WRITE), 0);
	ck_assert_int_eq(poller_wait(events, -1), 1);
	ck_assert_int_eq(events[0].events, LOOP_WRITE);
	ck_assert_int_eq(poller_set(one, LOOP_READ), 0);
	ck_assert_int_eq(poller_wait(events, -1), 2);
}
END_TEST

START_TEST(the_last_one_can_be_removed)
{
	while (used > 0) {
		struct watch *watch = &watches[--used];

		poller_remove(watch);
		close(watch->fd);
	}
	ck_assert_int_eq(poller_wait(events, 0), 0);
	make_ready(add_watch(LOOP_READ));
	ck_assert_int_eq(poller_wait(events, -1), 1);
}
END_TEST

START_TEST(a_closed_descriptor_is_no_watch)
{
	struct watch watch;
	int fd = eventfd(0, EFD_CLOEXEC);

	close(fd);
	watch_init(&watch, fd, ignore);
	if (poller_set(&watch, LOOP_READ) < 0) {
		ck_assert(poller_uses_epoll());
		ck_assert_int_eq(errno, EBADF);
		return;
	}
	ck_assert_int_eq(poller_wait(events, -1), 1);
	ck_assert_int_eq(events[0].events, POLLERR);
	poller_remove(&watch);
}
END_TEST

/* Waits until each watch from number `from` on had an event; false after too many
 * waits. */
static bool all_are_told(int from)
{
	static bool is_told[WATCHES_MAX];
	int missing = used - from;

	for (int i = 0; i < used; i++)
		is_told[i] = false;
	for (int waits = 0; missing > 0 && waits < 10; waits++) {
		int ready = poller_wait(events, -1);

		ck_assert_int_le(ready, POLLER_BATCH);
		for (int i = 0; i < ready; i++) {
			missing -= !is_told[events[i].watch - watches];
			is_told[events[i].watch - watches] = true;
		}
	}
	return missing == 0;
}

START_TEST(none_starves_when_more_are_ready_than_a_batch_holds)
{
	int from = used;

	while (used < WATCHES_MAX)
		make_ready(add_watch(LOOP_READ));
	ck_assert(poller_uses_epoll());
	ck_assert(all_are_told(from));
	ck_assert(all_are_told(from));
}
END_TEST

/* Without a free descriptor there is no epoll. */
START_TEST(poll_serves_on_when_there_is_no_epoll)
{
	struct rlimit before, limit;
	int spare;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (int i = 0; i < WATCHES_MAX; i++) {
		int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

		ck_assert_int_ge(fd, 0);
		watch_init(&watches[used++], fd, ignore);
	}
	spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(spare, 0);
	close(spare);
	limit = (struct rlimit){ .rlim_cur = (rlim_t)spare, .rlim_max = before.rlim_max };
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < WATCHES_MAX; i++)
		ck_assert_int_eq(poller_set(&watches[i], LOOP_READ), 0);
	ck_assert(!poller_uses_epoll());
	ck_assert(all_are_told(0));
	ck_assert(all_are_told(0));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

START_TEST(the_move_to_epoll_keeps_every_watch)
{
	int reader;

	for (int i = 0; i < POLLER_THRESHOLD - 1; i++)
		add_watch(LOOP_READ);
	make_ready(&watches[5]);
	poller_remove(&watches[0]);
	poller_remove(&watches[1]);
	ck_assert_int_eq(poller_set(&watches[6], LOOP_WRITE), 0);
	while (!poller_uses_epoll())
		add_watch(LOOP_READ);
	ck_assert_int_eq(used, POLLER_THRESHOLD + 2);
	ck_assert_int_eq(poller_wait(events, -1), 2);
	reader = events[0].events == LOOP_READ ? 0 : 1;
	ck_assert_ptr_eq(events[reader].watch, &watches[5]);
	ck_assert_ptr_eq(events[1 - reader].watch, &watches[6]);
	poller_remove(&watches[5]);
	poller_remove(&watches[6]);
	ck_assert_int_eq(poller_wait(events, 0), 0);
}
END_TEST

START_TEST(epoll_stays_when_the_watches_go)
{
	while (used > 1) {
		poller_remove(&watches[--used]);
		close(watches[used].fd);
	}
	ck_assert(poller_uses_epoll());
	make_ready(&watches[0]);
	ck_assert_int_eq(poller_wait(events, -1), 1);
}
END_TEST

START_TEST(epoll_says_which_files_it_cannot_watch)
{
	char path[] = "/tmp/usherd-poller-XXXXXX";
	struct watch watch;
	int fd = mkostemp(path, O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	unlink(path);
	watch_init(&watch, fd, ignore);
	ck_assert_int_eq(poller_set(&watch, LOOP_READ), -1);
	ck_assert_int_eq(errno, EPERM);
	poller_remove(&watch);
	close(fd);
}
END_TEST

static TCase *cases_for_both(const char *name, void (*set_up)(void))
{
	TCase *both = tcase_create(name);

	tcase_add_checked_fixture(both, set_up, tear_down);
	tcase_add_test(both, tells_nothing_when_nothing_happens);
	tcase_add_test(both, tells_who_is_ready_as_long_as_it_is);
	tcase_add_test(both, tells_only_what_is_wanted);
	tcase_add_test(both, tells_of_a_peer_that_is_gone);
	tcase_add_test(both, a_removed_watch_is_silent);
	tcase_add_test(both, the_last_one_can_be_removed);
	tcase_add_test(both, a_closed_descriptor_is_no_watch);
	tcase_add_test(both, none_starves_when_more_are_ready_than_a_batch_holds);
	return both;
}

Suite *poller_suite(void);

Suite *poller_suite(void)
{
	Suite *suite = suite_create("poller");
	TCase *poll_only = tcase_create("poll only");
	TCase *epoll_only = tcase_create("epoll only");

	tcase_add_checked_fixture(poll_only, set_up_poll, tear_down);
	tcase_add_test(poll_only, poll_serves_on_when_there_is_no_epoll);
	tcase_add_test(poll_only, the_move_to_epoll_keeps_every_watch);
	tcase_add_checked_fixture(epoll_only, set_up_epoll, tear_down);
	tcase_add_test(epoll_only, epoll_stays_when_the_watches_go);
	tcase_add_test(epoll_only, epoll_says_which_files_it_cannot_watch);
	suite_add_tcase(suite, cases_for_both("poll", set_up_poll));
	suite_add_tcase(suite, cases_for_both("epoll", set_up_epoll));
	suite_add_tcase(suite, poll_only);
	suite_add_tcase(suite, epoll_only);
	return suite;
}
