#include "frontend/banner.h"

#include "support/place.h"
#include "support/stage.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* One request for a file. */
struct asker {
	struct banner_wait wait;
	struct banner *banner;
	int error;
	bool is_told;
};

static void on_found(struct banner_wait *wait, struct banner *banner, int error)
{
	struct asker *asker = (struct asker *)wait;

	ck_assert(!asker->is_told);
	asker->is_told = true;
	asker->banner = banner;
	asker->error = error;
}

/* The service with the banner. */
static char path[4096];
static struct service_settings settings = { .banner = path };
static struct service service = { .settings = &settings };

/* Opens the file itself, in place of the monitor. */
static int open_here(const struct service *of, enum banner_kind which, ask_opened *done,
		     void *context)
{
	int fd = open(service_banner(of->settings, which), O_RDONLY | O_CLOEXEC);

	done(context, fd, fd < 0 ? errno : 0);
	return 0;
}

static void set_up(void)
{
	stage_set_up(); /* makes the place */
	banner_use_opener(open_here);
}

static void tear_down(void)
{
	ck_assert_uint_eq(banners_size(), 0);
	stage_tear_down();
}

static void ask_for(struct asker *asker, const char *name)
{
	*asker = (struct asker){ .error = 0 };
	strcpy(path, name[0] == '/' ? name : place_path(name));
	ck_assert_int_eq(banner_find(&asker->wait, &service, BANNER_ALWAYS, on_found), 0);
	ck_assert(!asker->is_told);
}

static struct asker ask_and_wait(const char *name)
{
	static struct asker asker;

	ask_for(&asker, name);
	turn_until(asker.is_told);
	return asker;
}

static void check_text(const struct asker *asker, const char *text)
{
	ck_assert_ptr_nonnull(asker->banner);
	ck_assert_uint_eq(asker->banner->length, strlen(text));
	ck_assert_int_eq(memcmp(asker->banner->bytes, text, strlen(text)), 0);
}

START_TEST(who_asks_at_once_gets_the_same_copy)
{
	struct asker askers[3];

	place_write("file", "hello\n");
	for (int i = 0; i < 3; i++)
		ask_for(&askers[i], "file");
	turn_until(askers[0].is_told && askers[1].is_told && askers[2].is_told);
	for (int i = 0; i < 3; i++) {
		ck_assert_ptr_eq(askers[i].banner, askers[0].banner);
		check_text(&askers[i], "hello\n");
	}
	ck_assert_uint_eq(banners_size(), strlen("hello\n"));
	for (int i = 0; i < 3; i++)
		banner_release(askers[i].banner);
}
END_TEST

START_TEST(a_file_that_was_just_written_is_one_copy_too)
{
	struct asker first, second;

	place_write("file", "hello\n");
	first = ask_and_wait("file");
	second = ask_and_wait("file");
	ck_assert_ptr_nonnull(first.banner);
	ck_assert_ptr_eq(second.banner, first.banner);
	banner_release(first.banner);
	banner_release(second.banner);
}
END_TEST

/* The file's change time is old enough to differ from that of any later version. */
START_TEST(who_asks_while_a_copy_is_in_use_gets_that)
{
	const char *lasting = "/bin/sh";
	struct asker first = ask_and_wait(lasting), second = ask_and_wait(lasting);

	ck_assert_ptr_nonnull(first.banner);
	ck_assert_ptr_eq(second.banner, first.banner);
	banner_release(first.banner);
	banner_release(second.banner);
}
END_TEST

START_TEST(a_changed_file_is_another_copy)
{
	struct asker first, second;

	place_write("file", "before\n");
	first = ask_and_wait("file");
	place_write("file", "after!\n");
	second = ask_and_wait("file");
	check_text(&first, "before\n");
	check_text(&second, "after!\n");
	ck_assert_uint_eq(banners_size(), 14);
	banner_release(first.banner);
	banner_release(second.banner);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_told_of)
{
	struct asker asker = ask_and_wait("nothing");

	ck_assert_ptr_null(asker.banner);
	ck_assert_int_eq(asker.error, ENOENT);
}
END_TEST

START_TEST(who_has_cancelled_is_not_told)
{
	struct asker gone, other;

	place_write("file", "hello\n");
	ask_for(&gone, "file");
	ask_for(&other, "file");
	banner_cancel(&gone.wait);
	turn_until(other.is_told);
	ck_assert(!gone.is_told);
	banner_release(other.banner);
}
END_TEST

START_TEST(all_copies_together_are_bounded)
{
	enum { FILES = BANNERS_MAX / BANNER_MAX };
	char *text = keep(malloc(BANNER_MAX + 1));
	struct asker askers[FILES], more;

	memset(text, 'x', BANNER_MAX + 1);
	for (int i = 0; i < FILES; i++) {
		place_write_bytes(textf("file%d", i), text, BANNER_MAX + 1);
		askers[i] = ask_and_wait(textf("file%d", i));
		ck_assert_uint_eq(askers[i].banner->length, BANNER_MAX);
	}
	place_write("small", "hello\n");
	more = ask_and_wait("small");
	ck_assert_ptr_null(more.banner);
	ck_assert_int_eq(more.error, ENOMEM);
	banner_release(askers[0].banner);
	more = ask_and_wait("small");
	check_text(&more, "hello\n");
	banner_release(more.banner);
	for (int i = 1; i < FILES; i++)
		banner_release(askers[i].banner);
}
END_TEST

Suite *banner_suite(void)
{
	Suite *suite = suite_create("banner");
	TCase *cases = tcase_create("banner");

	tcase_add_checked_fixture(cases, set_up, tear_down);
	tcase_add_test(cases, who_asks_at_once_gets_the_same_copy);
	tcase_add_test(cases, a_file_that_was_just_written_is_one_copy_too);
	tcase_add_test(cases, who_asks_while_a_copy_is_in_use_gets_that);
	tcase_add_test(cases, a_changed_file_is_another_copy);
	tcase_add_test(cases, a_file_that_cannot_be_read_is_told_of);
	tcase_add_test(cases, who_has_cancelled_is_not_told);
	tcase_add_test(cases, all_copies_together_are_bounded);
	suite_add_tcase(suite, cases);
	return suite;
}
