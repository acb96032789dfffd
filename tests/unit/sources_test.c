#include "admission/sources.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <string.h>

static const struct source_prefix by_default = { 32, 64 };

static struct address address_of(const char *text)
{
	struct address address = { 0 };

	ck_assert_msg(address_parse(&address, text, 0) == 0, "%s is no address", text);
	return address;
}

static struct address numbered_address(uint32_t number)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(number) };

	return address_from_sockaddr((struct sockaddr *)&in4, sizeof in4);
}

static uint32_t random_state;

static uint32_t random_number(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % below;
}

/* --- token_bucket ---------------------------------------------------------------- */

static struct pace a_second(uint32_t rate, uint32_t burst)
{
	return (struct pace){ rate, 1, burst };
}

static uint64_t take_all(struct token_bucket *bucket, uint64_t now, uint32_t rate, uint32_t burst)
{
	uint64_t taken = 0;

	while (token_bucket_take(bucket, now, a_second(rate, burst)))
		taken++;
	return taken;
}

static const struct {
	uint32_t rate, burst;
	uint64_t seconds;
	uint32_t step; /* most milliseconds between two takes without overflow */
} rates[] = {
	{ 1, 2, 100000, 1000 },        { 1, 10, 100000, 700 },  { 3, 3, 100000, 300 },
	{ 7, 100, 100000, 5000 },      { 50, 50, 10000, 37 },   { 333, 20, 1000, 13 },
	{ 999, 999, 1000, 7 },         { 1001, 1001, 1000, 7 }, { 100000, 100000, 5, 3 },
	{ 10000000, 10000000, 1, 50 },
};

/* Taking all tokens, often enough, gives exactly the burst and then the rate, over any
 * time. */
START_TEST(gives_the_rate_without_drift)
{
	uint32_t rate = rates[_i].rate, burst = rates[_i].burst;
	uint64_t start = 123456789, now = start, end = start + rates[_i].seconds * 1000;
	struct token_bucket bucket = { 0 };
	uint64_t taken = take_all(&bucket, now, rate, burst);

	random_state = 42 + (uint32_t)_i;
	ck_assert_msg(taken == burst, "row %d: burst %ju", _i, (uintmax_t)taken);
	while (now < end) {
		now += 1 + random_number(rates[_i].step);
		if (now > end)
			now = end;
		taken += take_all(&bucket, now, rate, burst);
	}
	ck_assert_msg(taken == burst + rate * rates[_i].seconds, "row %d: %ju in %ju s", _i,
		      (uintmax_t)taken, (uintmax_t)rates[_i].seconds);
}
END_TEST

START_TEST(wait_tells_the_first_millisecond)
{
	uint32_t rate = rates[_i].rate, burst = rates[_i].burst;
	struct token_bucket bucket = { 0 };
	uint64_t now = 1000;

	random_state = 7;
	ck_assert_uint_eq(token_bucket_wait(&bucket, now, a_second(rate, burst)), 0);
	take_all(&bucket, now, rate, burst);
	for (int i = 0; i < 200; i++) {
		uint64_t wait = token_bucket_wait(&bucket, now, a_second(rate, burst));

		ck_assert_uint_gt(wait, 0);
		ck_assert(!token_bucket_ready(&bucket, now + wait - 1, a_second(rate, burst)));
		ck_assert(token_bucket_ready(&bucket, now + wait, a_second(rate, burst)));
		ck_assert_uint_eq(token_bucket_wait(&bucket, now + wait, a_second(rate, burst)), 0);
		ck_assert_uint_eq(token_bucket_wait(&bucket, now + 1, a_second(rate, burst)),
				  wait - 1);
		now += wait + random_number(20);
		ck_assert(token_bucket_take(&bucket, now, a_second(rate, burst)));
		take_all(&bucket, now, rate, burst);
	}
}
END_TEST

START_TEST(a_rest_wins_back_the_burst_and_no_more)
{
	static const uint64_t rests[] = {
		1000, 1001, 86400000, UINT64_MAX / 10 + 1, UINT64_MAX / 2, UINT64_MAX - 5,
	};

	for (size_t i = 0; i < sizeof rests / sizeof rests[0]; i++) {
		struct token_bucket bucket = { 0 };

		ck_assert_uint_eq(take_all(&bucket, 5, 10, 10), 10);
		ck_assert_uint_eq(take_all(&bucket, 5 + rests[i], 10, 10), 10);
	}
}
END_TEST

START_TEST(ready_takes_nothing)
{
	struct token_bucket bucket = { 0 };

	for (int i = 0; i < 10; i++)
		ck_assert(token_bucket_ready(&bucket, 0, a_second(1, 1)));
	ck_assert(token_bucket_take(&bucket, 0, a_second(1, 1)));
	ck_assert(!token_bucket_ready(&bucket, 999, a_second(1, 1)));
	ck_assert(token_bucket_ready(&bucket, 1000, a_second(1, 1)));
}
END_TEST

START_TEST(a_clock_that_goes_back_gains_nothing)
{
	struct token_bucket bucket = { 0 };

	ck_assert_uint_eq(take_all(&bucket, 5000, 1, 2), 2);
	ck_assert(!token_bucket_take(&bucket, 4000, a_second(1, 2)));
	ck_assert(!token_bucket_take(&bucket, 5999, a_second(1, 2)));
	ck_assert(token_bucket_take(&bucket, 6000, a_second(1, 2)));
	ck_assert(!token_bucket_take(&bucket, 6000, a_second(1, 2)));
}
END_TEST

START_TEST(a_smaller_burst_holds_at_once)
{
	struct token_bucket bucket = { 0 };

	ck_assert(token_bucket_take(&bucket, 0, a_second(100, 100)));
	ck_assert_uint_eq(take_all(&bucket, 0, 2, 3), 3);
	ck_assert_uint_eq(take_all(&bucket, 500, 2, 100), 1);
}
END_TEST

/* Few tokens in many seconds: all of them at once, then one after another. */
START_TEST(a_pace_of_minutes_saves_its_burst)
{
	struct pace pace = { .rate = 25, .seconds = 60, .burst = 25 };
	struct token_bucket bucket = { 0 };

	for (int i = 0; i < 25; i++)
		ck_assert(token_bucket_take(&bucket, 1000, pace));
	ck_assert(!token_bucket_take(&bucket, 1000, pace));
	ck_assert_uint_eq(token_bucket_wait(&bucket, 1000, pace), 2400);
	ck_assert(!token_bucket_take(&bucket, 3399, pace));
	ck_assert(token_bucket_take(&bucket, 3400, pace));
	ck_assert(!token_bucket_take(&bucket, 3400, pace));
	ck_assert_uint_eq(token_bucket_wait(&bucket, 61000, pace), 0);
}
END_TEST

/* Trying every millisecond loses less than a token in a thousand. */
START_TEST(a_pace_of_minutes_does_not_drift)
{
	struct pace pace = { .rate = 7, .seconds = 3600, .burst = 1 };
	struct token_bucket bucket = { 0 };
	unsigned taken = 0;

	for (uint64_t now = 1; now <= 3600000; now++)
		taken += token_bucket_take(&bucket, now, pace);
	ck_assert_uint_ge(taken, 7);
	ck_assert_uint_le(taken, 8);
}
END_TEST

/* --- what runs ------------------------------------------------------------------- */

START_TEST(counts_what_runs)
{
	struct sources *sources = sources_new();
	struct address one = address_of("10.0.0.1"), other = address_of("10.0.0.2");
	struct source *first = source_enter(sources, &one, by_default);
	struct source *second = source_enter(sources, &one, by_default);

	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_eq(first, second);
	ck_assert_uint_eq(sources_running(sources, &one, by_default), 2);
	ck_assert_uint_eq(sources_running(sources, &other, by_default), 0);
	source_leave(sources, first);
	ck_assert_uint_eq(sources_running(sources, &one, by_default), 1);
	ck_assert_uint_eq(sources_count(sources), 1);
	source_leave(sources, second);
	ck_assert_uint_eq(sources_running(sources, &one, by_default), 0);
	ck_assert_uint_eq(sources_count(sources), 0);
	sources_free(sources);
}
END_TEST

static const struct {
	const char *one, *other;
	struct source_prefix lengths;
	bool same;
} pairs[] = {
	{ "10.0.0.1", "10.0.0.1", { 32, 64 }, true },
	{ "10.0.0.1", "10.0.0.2", { 32, 64 }, false },
	{ "10.0.0.1", "10.0.0.254", { 24, 64 }, true },
	{ "10.0.0.1", "10.0.1.1", { 24, 64 }, false },
	{ "10.0.0.1", "192.0.2.1", { 0, 64 }, true },
	{ "2001:db8::1", "2001:db8::ffff:0:0:1", { 32, 64 }, true },
	{ "2001:db8::1", "2001:db8:0:1::1", { 32, 64 }, false },
	{ "2001:db8::1", "2001:db8::2", { 32, 128 }, false },
	{ "2001:db8::1", "2001:db8:0:ff::2", { 32, 56 }, true },
	{ "::ffff:10.0.0.1", "10.0.0.1", { 32, 64 }, true },
	{ "0.0.0.0", "::", { 0, 0 }, false },
};

START_TEST(a_source_is_a_prefix)
{
	struct sources *sources = sources_new();
	struct address one = address_of(pairs[_i].one), other = address_of(pairs[_i].other);

	source_enter(sources, &one, pairs[_i].lengths);
	ck_assert_msg(sources_running(sources, &other, pairs[_i].lengths) == pairs[_i].same,
		      "%s, %s", pairs[_i].one, pairs[_i].other);
	ck_assert(source_take_token(sources, &one, pairs[_i].lengths, 0, a_second(1, 1)));
	ck_assert_msg(source_take_token(sources, &other, pairs[_i].lengths, 0, a_second(1, 1)) ==
			      !pairs[_i].same,
		      "%s, %s", pairs[_i].one, pairs[_i].other);
	sources_free(sources);
}
END_TEST

START_TEST(leaves_under_other_lengths_than_it_entered)
{
	struct sources *sources = sources_new();
	struct address address = address_of("10.0.0.1");
	struct source_prefix wide = { 24, 48 };
	struct source *before = source_enter(sources, &address, by_default);
	struct source *after = source_enter(sources, &address, wide);

	ck_assert_ptr_ne(before, after);
	ck_assert_uint_eq(sources_running(sources, &address, wide), 1);
	source_leave(sources, before);
	ck_assert_uint_eq(sources_running(sources, &address, by_default), 0);
	ck_assert_uint_eq(sources_running(sources, &address, wide), 1);
	source_leave(sources, after);
	ck_assert_uint_eq(sources_count(sources), 0);
	sources_free(sources);
}
END_TEST

START_TEST(an_unknown_address_is_no_source)
{
	struct sources *sources = sources_new();
	struct address unknown = { 0 };
	struct token_bucket service = { 0 }, reserve = { 0 };

	errno = ENOMEM;
	ck_assert_ptr_null(source_enter(sources, &unknown, by_default));
	ck_assert_int_eq(errno, 0);
	ck_assert_uint_eq(sources_running(sources, &unknown, by_default), 0);
	for (int i = 0; i < 10; i++)
		ck_assert(source_take_token(sources, &unknown, by_default, 0, a_second(1, 1)));
	for (int i = 0; i < 10; i++)
		ck_assert(sources_admit(sources, &service, &reserve, &unknown, by_default, 0,
					a_second(4, 4)) == (i < 4));
	ck_assert_uint_eq(sources_count(sources), 0);
	sources_free(sources);
}
END_TEST

START_TEST(goes_with_what_runs)
{
	struct sources *sources = sources_new();

	for (uint32_t i = 0; i < 1000; i++) {
		struct address address = numbered_address(i);

		ck_assert_ptr_nonnull(source_enter(sources, &address, by_default));
	}
	ck_assert_uint_eq(sources_count(sources), 1000);
	sources_free(sources);
	sources_free(NULL);
}
END_TEST

/* --- one source's rate ----------------------------------------------------------- */

START_TEST(limits_each_source_by_itself)
{
	struct sources *sources = sources_new();
	struct address fast = address_of("10.0.0.1"), slow = address_of("10.0.0.2");
	unsigned taken = 0;

	for (uint64_t now = 0; now < 100000; now += 10) {
		taken += source_take_token(sources, &fast, by_default, now, a_second(5, 20));
		if (now % 500 == 0)
			ck_assert(source_take_token(sources, &slow, by_default, now,
						    a_second(5, 20)));
	}
	ck_assert_uint_eq(taken, 20 + 5 * 100 - 1);
	sources_free(sources);
}
END_TEST

START_TEST(forgets_who_won_back_everything)
{
	struct sources *sources = sources_new();
	struct address one = numbered_address(1), other = numbered_address(2);

	for (int i = 0; i < 3; i++)
		ck_assert(source_take_token(sources, &one, by_default, 0, a_second(1, 3)));
	ck_assert(source_take_token(sources, &other, by_default, 2999, a_second(1, 3)));
	ck_assert_uint_eq(sources_count(sources), 2);
	ck_assert(source_take_token(sources, &other, by_default, 3000, a_second(1, 3)));
	ck_assert_uint_eq(sources_count(sources), 1);
	sources_free(sources);
}
END_TEST

/* As many calls as sources forget them all, and no call forgets many. */
START_TEST(forgets_little_by_little)
{
	struct sources *sources = sources_new();
	struct address last = numbered_address(100000);
	size_t count;

	for (uint32_t i = 0; i < 10000; i++) {
		struct address address = numbered_address(i);

		ck_assert(source_take_token(sources, &address, by_default, 0, a_second(1, 2)));
	}
	ck_assert_uint_eq(sources_count(sources), 10000);
	for (int i = 0; i < 10000; i++) {
		count = sources_count(sources);
		source_take_token(sources, &last, by_default, 1000, a_second(1, 2));
		if (sources_count(sources) + 4 < count)
			ck_abort_msg("call %d forgot %zu", i, count - sources_count(sources));
	}
	ck_assert_uint_eq(sources_count(sources), 1);
	sources_free(sources);
}
END_TEST

START_TEST(keeps_a_debt_while_something_runs_or_not)
{
	struct sources *sources = sources_new();
	struct address address = numbered_address(1);
	struct source *source;

	ck_assert(source_take_token(sources, &address, by_default, 0, a_second(1, 1)));
	source = source_enter(sources, &address, by_default);
	source_leave(sources, source);
	ck_assert(!source_take_token(sources, &address, by_default, 999, a_second(1, 1)));
	source = source_enter(sources, &address, by_default);
	ck_assert(source_take_token(sources, &address, by_default, 1000, a_second(1, 1)));
	ck_assert(!source_take_token(sources, &address, by_default, 1000, a_second(1, 1)));
	ck_assert_uint_eq(sources_running(sources, &address, by_default), 1);
	source_leave(sources, source);
	ck_assert(!source_take_token(sources, &address, by_default, 1999, a_second(1, 1)));
	sources_free(sources);
}
END_TEST

/* --- floods ------------------------------------------------------------------------ */

enum { FORGED = 200000, RUNNING = 500 };

START_TEST(a_flood_of_forged_addresses_is_bounded)
{
	struct sources *sources = sources_new();
	struct source *running[RUNNING];
	struct address debtor = numbered_address(0xc0000201), forged;

	for (uint32_t i = 0; i < RUNNING; i++) {
		forged = numbered_address(0x0a000000 + i);
		running[i] = source_enter(sources, &forged, by_default);
		ck_assert_ptr_nonnull(running[i]);
	}
	while (source_take_token(sources, &debtor, by_default, 0, a_second(1, 50)))
		;
	for (uint32_t i = 0; i < FORGED; i++) {
		forged = numbered_address(0x0b000000 + i);
		if (!source_take_token(sources, &forged, by_default, 0, a_second(1, 50)))
			ck_abort_msg("forged address %u", i);
		if (sources_count(sources) > SOURCES_MAX)
			ck_abort_msg("%zu sources", sources_count(sources));
	}
	ck_assert_uint_eq(sources_count(sources), SOURCES_MAX);
	ck_assert(!source_take_token(sources, &debtor, by_default, 0, a_second(1, 50)));
	for (uint32_t i = 0; i < RUNNING; i++) {
		forged = numbered_address(0x0a000000 + i);
		if (sources_running(sources, &forged, by_default) != 1)
			ck_abort_msg("running source %u was forgotten", i);
		source_leave(sources, running[i]);
	}
	ck_assert_uint_eq(sources_count(sources), SOURCES_MAX - RUNNING);
	sources_free(sources);
}
END_TEST

START_TEST(what_runs_may_exceed_the_bound)
{
	struct sources *sources = sources_new();
	struct address address;

	for (uint32_t i = 0; i < SOURCES_MAX + 10; i++) {
		address = numbered_address(i);
		if (!source_enter(sources, &address, by_default))
			ck_abort_msg("source %u", i);
	}
	for (uint32_t i = 0; i < 1000; i++) {
		address = numbered_address(0x0b000000 + i);
		source_take_token(sources, &address, by_default, 0, a_second(1, 50));
	}
	ck_assert_uint_eq(sources_count(sources), SOURCES_MAX + 10 + 1);
	address = numbered_address(0);
	ck_assert_uint_eq(sources_running(sources, &address, by_default), 1);
	sources_free(sources);
}
END_TEST

/* --- the fair share ------------------------------------------------------------------ */

static const uint32_t service_rates[] = { 1, 2, 3, 4, 5, 7, 10, 11, 15, 50, 100, 1000 };

enum { SERVICE_RATES = sizeof service_rates / sizeof service_rates[0] };

struct share {
	struct sources *sources;
	struct token_bucket service, reserve;
	uint32_t rate;
};

static bool asks(struct share *share, uint32_t source, uint64_t now)
{
	struct address address = numbered_address(source);

	return sources_admit(share->sources, &share->service, &share->reserve, &address, by_default,
			     now, a_second(share->rate, share->rate));
}

/* With an empty bucket and a full reserve: true for a source below its share. */
static bool asks_reserve(struct share *share, uint32_t source, uint64_t now)
{
	share->service = (struct token_bucket){ .started = true, .last = UINT64_MAX };
	share->reserve = (struct token_bucket){ 0 };
	return asks(share, source, now);
}

START_TEST(one_source_alone_gets_the_rate)
{
	struct share share = { .sources = sources_new(), .rate = service_rates[_i] };
	uint64_t admitted = 0, most = share.rate + (share.rate + share.rate / 4 + 1) * 20;

	for (uint32_t i = 0; i < 3 * share.rate; i++)
		admitted += asks(&share, 1, 0);
	ck_assert_uint_eq(admitted, share.rate);
	for (uint64_t now = 1; now <= 20000; now++)
		for (uint32_t i = 0; i < 1 + share.rate / 300; i++)
			admitted += asks(&share, 1, now);
	ck_assert_msg(admitted >= share.rate * 21 && admitted <= most, "rate %u: %ju in 20 s",
		      share.rate, (uintmax_t)admitted);
	sources_free(share.sources);
}
END_TEST

/* One source asks at 100 times the rate, another at a tenth of it, at different moments
 * of a second. */
START_TEST(a_flood_does_not_shut_out_the_others)
{
	struct share share = { .sources = sources_new(), .rate = service_rates[_i] };
	uint64_t start = 1000000 + 137 * (uint64_t)_i;
	uint64_t polite_every = 10000 / share.rate, flood = 0;

	for (uint64_t now = start; now < start + 20 * polite_every + 10000; now++) {
		for (uint64_t i = share.rate * now / 10; i < share.rate * (now + 1) / 10; i++)
			flood += asks(&share, 1, now);
		if (now > start && (now - start) % polite_every == 0 && !asks(&share, 2, now))
			ck_abort_msg("rate %u: refused after %ju ms", share.rate,
				     (uintmax_t)(now - start));
	}
	ck_assert_uint_ge(flood, share.rate);
	sources_free(share.sources);
}
END_TEST

START_TEST(several_polite_sources_survive_several_floods)
{
	struct share share = { .sources = sources_new(), .rate = 100 };

	for (uint64_t now = 0; now < 30000; now++) {
		for (uint32_t flooder = 1; flooder <= 5; flooder++)
			for (int i = 0; i < 3; i++)
				asks(&share, flooder, now);
		for (uint32_t polite = 10; polite < 15; polite++)
			if (now > 1000 && now % 500 == 31 * polite && !asks(&share, polite, now))
				ck_abort_msg("source %u refused at %ju", polite, (uintmax_t)now);
	}
	sources_free(share.sources);
}
END_TEST

START_TEST(never_admits_more_than_rate_and_reserve)
{
	struct share share = { .sources = sources_new(), .rate = service_rates[_i] };
	uint32_t reserve = share.rate >= 4 ? share.rate / 4 : 1;
	uint64_t admitted = 0, seconds = 10;

	random_state = 99;
	for (uint64_t now = 0; now < seconds * 1000; now++)
		for (uint32_t i = 0; i < 1 + share.rate / 100; i++)
			admitted += asks(&share, random_number(5000), now);
	ck_assert_msg(admitted <= (share.rate + reserve) * (seconds + 1), "rate %u: %ju",
		      share.rate, (uintmax_t)admitted);
	ck_assert_uint_ge(admitted, share.rate * seconds);
	sources_free(share.sources);
}
END_TEST

START_TEST(the_share_shrinks_with_the_number_of_sources)
{
	static const struct {
		uint32_t others;
		uint64_t first, now;
		uint32_t admitted;
	} rows[] = {
		{ 0, 5000, 5000, 20 }, { 1, 5000, 5000, 10 }, { 3, 5000, 5000, 5 },
		{ 4, 5000, 5999, 4 },  { 19, 5000, 5000, 1 }, { 40, 5000, 5000, 1 },
		{ 4, 5999, 6000, 4 },  { 4, 5000, 6999, 4 },  { 4, 5999, 7000, 20 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct share share = { .sources = sources_new(), .rate = 20 };
		uint32_t admitted = 0;

		for (uint32_t other = 1; other <= rows[i].others; other++)
			asks(&share, other, rows[i].first);
		for (int ask = 0; ask < 40; ask++)
			admitted += asks_reserve(&share, 1000, rows[i].now);
		ck_assert_msg(admitted == rows[i].admitted, "row %zu: %u", i, admitted);
		sources_free(share.sources);
	}
}
END_TEST

/* A source alone asks ten times at `first`. At `second`, so many requests are below its
 * share of ten. */
static const struct {
	uint64_t first, second;
	uint32_t admitted;
} windows[] = {
	{ 5000, 5000, 0 },  { 5000, 5999, 0 },  { 5000, 6000, 0 },
	{ 5000, 6001, 1 },  { 5999, 6000, 0 },  { 5999, 6500, 5 },
	{ 5000, 6999, 10 }, { 5000, 7000, 10 }, { 5000, 90000, 10 },
};

START_TEST(asks_fade_within_a_second)
{
	struct share share = { .sources = sources_new(), .rate = 10 };
	struct address address = numbered_address(1);
	uint32_t admitted = 0;

	ck_assert_ptr_nonnull(source_enter(share.sources, &address, by_default));
	for (int i = 0; i < 10; i++)
		asks(&share, 1, windows[_i].first);
	for (int i = 0; i < 20; i++)
		admitted += asks_reserve(&share, 1, windows[_i].second);
	ck_assert_msg(admitted == windows[_i].admitted, "%ju, then %ju: %u",
		      (uintmax_t)windows[_i].first, (uintmax_t)windows[_i].second, admitted);
	sources_free(share.sources);
}
END_TEST

START_TEST(who_asks_no_more_is_forgotten_after_two_seconds)
{
	struct share share = { .sources = sources_new(), .rate = 1000 };

	for (uint32_t i = 0; i < 100; i++)
		asks(&share, i, 10500);
	ck_assert_uint_eq(sources_count(share.sources), 100);
	for (int i = 0; i < 100; i++)
		asks(&share, 1000, 11999);
	ck_assert_uint_eq(sources_count(share.sources), 101);
	for (int i = 0; i < 100; i++)
		asks(&share, 1000, 12000);
	ck_assert_uint_eq(sources_count(share.sources), 1);
	sources_free(share.sources);
}
END_TEST

#define ROWS(table) (int)(sizeof table / sizeof table[0])

Suite *sources_suite(void)
{
	Suite *suite = suite_create("sources");
	TCase *bucket = tcase_create("bucket"), *running = tcase_create("running");
	TCase *tokens = tcase_create("tokens"), *share = tcase_create("share");

	tcase_add_loop_test(bucket, gives_the_rate_without_drift, 0, ROWS(rates));
	tcase_add_loop_test(bucket, wait_tells_the_first_millisecond, 0, ROWS(rates));
	tcase_add_test(bucket, a_rest_wins_back_the_burst_and_no_more);
	tcase_add_test(bucket, ready_takes_nothing);
	tcase_add_test(bucket, a_pace_of_minutes_saves_its_burst);
	tcase_add_test(bucket, a_pace_of_minutes_does_not_drift);
	tcase_add_test(bucket, a_clock_that_goes_back_gains_nothing);
	tcase_add_test(bucket, a_smaller_burst_holds_at_once);
	suite_add_tcase(suite, bucket);
	tcase_add_test(running, counts_what_runs);
	tcase_add_loop_test(running, a_source_is_a_prefix, 0, ROWS(pairs));
	tcase_add_test(running, leaves_under_other_lengths_than_it_entered);
	tcase_add_test(running, an_unknown_address_is_no_source);
	tcase_add_test(running, goes_with_what_runs);
	suite_add_tcase(suite, running);
	tcase_add_test(tokens, limits_each_source_by_itself);
	tcase_add_test(tokens, forgets_who_won_back_everything);
	tcase_add_test(tokens, forgets_little_by_little);
	tcase_add_test(tokens, keeps_a_debt_while_something_runs_or_not);
	tcase_add_test(tokens, a_flood_of_forged_addresses_is_bounded);
	tcase_add_test(tokens, what_runs_may_exceed_the_bound);
	suite_add_tcase(suite, tokens);
	tcase_add_loop_test(share, one_source_alone_gets_the_rate, 0, SERVICE_RATES);
	tcase_add_loop_test(share, a_flood_does_not_shut_out_the_others, 0, SERVICE_RATES);
	tcase_add_test(share, several_polite_sources_survive_several_floods);
	tcase_add_loop_test(share, never_admits_more_than_rate_and_reserve, 0, SERVICE_RATES);
	tcase_add_test(share, the_share_shrinks_with_the_number_of_sources);
	tcase_add_loop_test(share, asks_fade_within_a_second, 0, ROWS(windows));
	tcase_add_test(share, who_asks_no_more_is_forgotten_after_two_seconds);
	suite_add_tcase(suite, share);
	return suite;
}
