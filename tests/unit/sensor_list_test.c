#include "admission/sensor_list.h"

#include <arpa/inet.h>
#include <check.h>

static struct address address_of(const char *text, uint16_t port)
{
	struct address address = { 0 };

	ck_assert_msg(address_parse(&address, text, port) == 0, "%s is no address", text);
	return address;
}

static struct address numbered_address(uint32_t number)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(number) };

	return address_from_sockaddr((struct sockaddr *)&in4, sizeof in4);
}

static bool ban_number(struct sensor_list *list, uint32_t number, uint64_t now, uint64_t until)
{
	struct address address = numbered_address(number);

	return sensor_list_ban(list, &address, now, until);
}

static bool bans_number(struct sensor_list *list, uint32_t number, uint64_t now)
{
	struct address address = numbered_address(number);

	return sensor_list_bans(list, &address, now);
}

static bool remove_number(struct sensor_list *list, uint32_t number)
{
	struct address address = numbered_address(number);

	return sensor_list_remove(list, &address);
}

START_TEST(bans_until_its_time)
{
	struct sensor_list *list = sensor_list_new();

	ck_assert(!bans_number(list, 1, 0));
	ck_assert(ban_number(list, 1, 100, 200));
	ck_assert(bans_number(list, 1, 100));
	ck_assert(bans_number(list, 1, 199));
	ck_assert_uint_eq(sensor_list_count(list), 1);
	ck_assert(!bans_number(list, 1, 200));
	ck_assert_uint_eq(sensor_list_count(list), 0);
	sensor_list_free(list);
	sensor_list_free(NULL);
}
END_TEST

START_TEST(bans_for_ever)
{
	struct sensor_list *list = sensor_list_new();

	ck_assert(ban_number(list, 1, 100, SENSOR_FOREVER));
	sensor_list_expire(list, UINT64_MAX);
	ck_assert(bans_number(list, 1, UINT64_MAX));
	ck_assert_uint_eq(sensor_list_count(list), 1);
	sensor_list_free(list);
}
END_TEST

static const struct {
	uint64_t first, second, ends;
} extensions[] = {
	{ 200, 300, 300 },
	{ 300, 200, 300 },
	{ 200, 200, 200 },
	{ 200, SENSOR_FOREVER, SENSOR_FOREVER },
	{ SENSOR_FOREVER, 200, SENSOR_FOREVER },
};

START_TEST(extends_and_never_shortens)
{
	struct sensor_list *list = sensor_list_new();
	uint64_t ends = extensions[_i].ends;

	ck_assert(ban_number(list, 1, 100, extensions[_i].first));
	ck_assert(!ban_number(list, 1, 150, extensions[_i].second));
	ck_assert_uint_eq(sensor_list_count(list), 1);
	ck_assert_msg(bans_number(list, 1, ends - 1), "row %d", _i);
	ck_assert_msg(bans_number(list, 1, ends) == (ends == SENSOR_FOREVER), "row %d", _i);
	sensor_list_free(list);
}
END_TEST

START_TEST(an_expired_ban_can_be_set_anew)
{
	struct sensor_list *list = sensor_list_new();

	ck_assert(ban_number(list, 1, 100, 200));
	ck_assert(ban_number(list, 1, 200, 300));
	ck_assert(bans_number(list, 1, 299));
	ck_assert_uint_eq(sensor_list_count(list), 1);
	sensor_list_free(list);
}
END_TEST

START_TEST(a_ban_that_is_over_at_once_is_none)
{
	struct sensor_list *list = sensor_list_new();

	ck_assert(!ban_number(list, 1, 200, 200));
	ck_assert(!ban_number(list, 1, 200, 100));
	ck_assert_uint_eq(sensor_list_count(list), 0);
	sensor_list_free(list);
}
END_TEST

START_TEST(an_unknown_address_is_never_banned)
{
	struct sensor_list *list = sensor_list_new();
	struct address unknown = { 0 };

	ck_assert(!sensor_list_ban(list, &unknown, 0, SENSOR_FOREVER));
	ck_assert(!sensor_list_bans(list, &unknown, 0));
	ck_assert_uint_eq(sensor_list_count(list), 0);
	sensor_list_free(list);
}
END_TEST

static const struct {
	const char *banned, *peer;
	bool is_banned;
} exactness[] = {
	{ "10.0.0.1", "10.0.0.1", true },
	{ "10.0.0.0", "10.0.0.0", true },
	{ "10.0.0.0", "10.0.0.1", false },
	{ "0.0.0.0", "10.0.0.1", false },
	{ "0.0.0.0", "::", false },
	{ "10.0.0.1", "::ffff:10.0.0.1", true },
	{ "10.0.0.1", "::10.0.0.1", false },
	{ "2001:db8::1", "2001:db8::1", true },
	{ "2001:db8::", "2001:db8::1", false },
	{ "::", "::1", false },
};

START_TEST(bans_an_address_and_no_network)
{
	struct sensor_list *list = sensor_list_new();
	struct address banned = address_of(exactness[_i].banned, 1000);
	struct address peer = address_of(exactness[_i].peer, 2000);

	ck_assert(sensor_list_ban(list, &banned, 0, 100));
	ck_assert_msg(sensor_list_bans(list, &peer, 0) == exactness[_i].is_banned, "%s, %s",
		      exactness[_i].banned, exactness[_i].peer);
	sensor_list_free(list);
}
END_TEST

START_TEST(expires_only_what_is_over)
{
	struct sensor_list *list = sensor_list_new();

	for (uint32_t i = 0; i < 100; i++)
		ck_assert(ban_number(list, i, 0, 1 + i * 37 % 100));
	for (uint64_t now = 1; now <= 100; now++) {
		sensor_list_expire(list, now);
		ck_assert_uint_eq(sensor_list_count(list), 100 - now);
	}
	sensor_list_free(list);
}
END_TEST

/* --- compared with a plain array ----------------------------------------------- */

enum { NUMBERS = 64, STEPS = 20000 };

static uint32_t random_state;

static uint32_t random_number(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

START_TEST(agrees_with_a_plain_array)
{
	struct sensor_list *list = sensor_list_new();
	uint64_t ends[NUMBERS] = { 0 }, now = 1;

	random_state = 1413;
	for (int step = 0; step < STEPS; step++, now += random_number(3)) {
		uint32_t number = random_number(NUMBERS);
		uint64_t until = now + random_number(200);
		bool was_banned = ends[number] > now;

		if (random_number(2) == 0) {
			if (bans_number(list, number, now) != was_banned)
				ck_abort_msg("step %d: %u", step, number);
			continue;
		}
		if (ban_number(list, number, now, until) != (!was_banned && until > now))
			ck_abort_msg("step %d: ban of %u", step, number);
		if (ends[number] < until)
			ends[number] = until;
	}
	sensor_list_expire(list, now);
	for (uint32_t number = 0; number < NUMBERS; number++)
		ck_assert(bans_number(list, number, now) == (ends[number] > now));
	sensor_list_free(list);
}
END_TEST

/* --- when it is full ------------------------------------------------------------- */

static struct sensor_list *full_list(uint64_t (*until)(uint32_t number))
{
	struct sensor_list *list = sensor_list_new();

	for (uint32_t i = 0; i < SENSOR_LIST_MAX; i++)
		if (!ban_number(list, i, 0, until(i)))
			ck_abort_msg("ban %u", i);
	ck_assert_uint_eq(sensor_list_count(list), SENSOR_LIST_MAX);
	return list;
}

/* A permutation: 7919 and 10240 have no common divisor. */
static uint64_t shuffled(uint32_t number)
{
	return 1000 + number * 7919ull % SENSOR_LIST_MAX;
}

static uint64_t never(uint32_t number)
{
	(void)number;
	return SENSOR_FOREVER;
}

START_TEST(the_soonest_to_end_gives_way)
{
	struct sensor_list *list = full_list(shuffled);

	for (uint32_t i = 0; i < 1000; i++)
		ck_assert(ban_number(list, 0x0a000000 + i, 0, 100000));
	ck_assert_uint_eq(sensor_list_count(list), SENSOR_LIST_MAX);
	for (uint32_t i = 0; i < SENSOR_LIST_MAX; i++)
		if (bans_number(list, i, 0) != (shuffled(i) >= 1000 + 1000))
			ck_abort_msg("%u, which would end at %ju", i, (uintmax_t)shuffled(i));
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert(bans_number(list, 0x0a000000 + i, 0));
	sensor_list_free(list);
}
END_TEST

START_TEST(what_is_over_gives_way_first)
{
	struct sensor_list *list = full_list(shuffled);

	ck_assert(ban_number(list, 0x0a000000, 1099, 5000));
	ck_assert_uint_eq(sensor_list_count(list), SENSOR_LIST_MAX - 100 + 1);
	sensor_list_free(list);
}
END_TEST

/* Temporary bans replace one permanent ban, then each other. */
START_TEST(permanent_bans_give_way_last)
{
	struct sensor_list *list = full_list(never);
	size_t left = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		ck_assert(ban_number(list, 0x0a000000 + i, 0, 100 + i));
		ck_assert(bans_number(list, 0x0a000000 + i, 0));
	}
	for (uint32_t i = 0; i < SENSOR_LIST_MAX; i++)
		left += bans_number(list, i, 0);
	ck_assert_uint_eq(left, SENSOR_LIST_MAX - 1);
	ck_assert_uint_eq(sensor_list_count(list), SENSOR_LIST_MAX);
	sensor_list_free(list);
}
END_TEST

START_TEST(a_flood_is_bounded)
{
	struct sensor_list *list = sensor_list_new();

	for (uint32_t i = 0; i < 200000; i++) {
		if (!ban_number(list, i, i, i + 60000))
			ck_abort_msg("ban %u", i);
		if (sensor_list_count(list) > SENSOR_LIST_MAX)
			ck_abort_msg("%zu bans", sensor_list_count(list));
	}
	ck_assert(bans_number(list, 199999, 199999));
	ck_assert(!bans_number(list, 0, 199999));
	sensor_list_free(list);
}
END_TEST

struct seen {
	int count;
	uint64_t sum;
};

static void see(const struct address *address, uint64_t until, void *context)
{
	struct seen *seen = context;
	char text[ADDRESS_TEXT_SIZE];

	ck_assert_uint_eq(address_port(address), 0);
	ck_assert_str_eq(address_text(address, text), until == 100 ? "10.0.0.1" : "2001:db8::1");
	seen->count++;
	seen->sum += until;
}

START_TEST(shows_each_ban)
{
	struct sensor_list *list = sensor_list_new();
	struct address in4 = address_of("10.0.0.1", 7), in6 = address_of("2001:db8::1", 9);
	struct seen seen = { 0 };

	sensor_list_each(list, see, &seen);
	ck_assert_int_eq(seen.count, 0);
	sensor_list_ban(list, &in4, 0, 100);
	sensor_list_ban(list, &in6, 0, 23);
	sensor_list_each(list, see, &seen);
	ck_assert_int_eq(seen.count, 2);
	ck_assert_uint_eq(seen.sum, 123);
	sensor_list_free(list);
}
END_TEST

/* The heap of the others stays in order, whichever leaves it: one branch ends late, and the last
 * ban is in the other. */
START_TEST(a_ban_is_ended)
{
	static const uint32_t ends[] = { 101, 110, 102, 111, 112, 103, 104,
					 113, 114, 115, 116, 105, 106, 107 };
	enum { COUNT = sizeof ends / sizeof ends[0] };
	struct sensor_list *list = sensor_list_new();
	struct address unknown = { 0 };

	for (uint32_t i = 0; i < COUNT; i++)
		ck_assert(ban_number(list, i, 0, ends[i]));
	ck_assert(remove_number(list, (uint32_t)_i));
	ck_assert(!remove_number(list, (uint32_t)_i));
	ck_assert(!sensor_list_remove(list, &unknown));
	ck_assert_uint_eq(sensor_list_count(list), COUNT - 1);
	for (uint32_t now = 100; now <= 100 + COUNT + 2; now++) {
		size_t left = 0;

		sensor_list_expire(list, now);
		for (uint32_t i = 0; i < COUNT; i++)
			left += i != (uint32_t)_i && now < ends[i];
		ck_assert_uint_eq(sensor_list_count(list), left);
	}
	sensor_list_free(list);
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

Suite *sensor_list_suite(void)
{
	Suite *suite = suite_create("sensor_list");
	TCase *ban = tcase_create("ban"), *full = tcase_create("full");

	tcase_add_test(ban, bans_until_its_time);
	tcase_add_test(ban, bans_for_ever);
	tcase_add_loop_test(ban, extends_and_never_shortens, 0, ROWS(extensions));
	tcase_add_test(ban, an_expired_ban_can_be_set_anew);
	tcase_add_test(ban, a_ban_that_is_over_at_once_is_none);
	tcase_add_test(ban, an_unknown_address_is_never_banned);
	tcase_add_loop_test(ban, bans_an_address_and_no_network, 0, ROWS(exactness));
	tcase_add_test(ban, expires_only_what_is_over);
	tcase_add_test(ban, agrees_with_a_plain_array);
	tcase_add_test(ban, shows_each_ban);
	tcase_add_loop_test(ban, a_ban_is_ended, 0, 14);
	suite_add_tcase(suite, ban);
	tcase_add_test(full, the_soonest_to_end_gives_way);
	tcase_add_test(full, what_is_over_gives_way_first);
	tcase_add_test(full, permanent_bans_give_way_last);
	tcase_add_test(full, a_flood_is_bounded);
	suite_add_tcase(suite, full);
	return suite;
}
