#include "admission/sources.h"

#include "base/hash.h"
#include "base/prefix_hash.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

/* Parts of a token. With so many, rounding loses almost nothing at few tokens in many
 * seconds, and nothing at whole tokens per second. */
enum { TOKEN = 1000000, SECOND = 1000, SWEEP = 2, SAMPLE = 8 };

struct source {
	UT_hash_handle hh;
	TAILQ_ENTRY(source) ring; /* linked while nothing runs */
	struct prefix prefix;
	unsigned running;
	struct token_bucket bucket;
	uint32_t second;       /* the last one it asked in */
	uint32_t asked;        /* in that second */
	uint32_t asked_before; /* in the second before that one */
	uint64_t whole_at;     /* when it equals a new source, if it does not ask again */
};

TAILQ_HEAD(source_ring, source);

/* Sources with nothing running are in a ring. Each call looks at the next few and
 * forgets those that are whole again. When there are too many sources, it also forgets
 * the one of SAMPLE that will be whole soonest. This is constant work and needs no order;
 * a flood of new sources does not push out those that have used up their rate.
 *
 * "During the last second" is an approximation that needs no list of events. The clock
 * is cut into seconds. Sources that asked are those that did in this second or the one
 * before; one that was forgotten in between counts twice. How often a source asked is
 * its count of this second, plus a part of its count of the second before: the part that
 * lies within the last 1000 milliseconds, if its requests were spread evenly. */
struct sources {
	struct prefix_hash hash;
	struct source *table;
	struct source_ring ring;
	uint64_t now;
	uint32_t second;
	uint32_t asking;        /* sources that asked in this second */
	uint32_t asking_before; /* in the one before */
	uint32_t joining;       /* in this one and not in the one before */
};

static int64_t bucket_level(const struct token_bucket *bucket, uint64_t now, struct pace pace)
{
	int64_t full = (int64_t)pace.burst * TOKEN;
	uint64_t gained;

	if (!bucket->started || bucket->tokens >= full)
		return full;
	if (now <= bucket->last)
		return bucket->tokens;
	if (__builtin_mul_overflow(now - bucket->last, (uint64_t)pace.rate * (TOKEN / SECOND),
				   &gained) ||
	    gained / pace.seconds > (uint64_t)(full - bucket->tokens))
		return full;
	return bucket->tokens + (int64_t)(gained / pace.seconds);
}

bool token_bucket_take(struct token_bucket *bucket, uint64_t now, struct pace pace)
{
	int64_t level = bucket_level(bucket, now, pace);

	/* A failed take changes nothing: rounding would lose what was gained. */
	if (level < TOKEN)
		return false;
	bucket->tokens = level - TOKEN;
	if (!bucket->started || now > bucket->last)
		bucket->last = now;
	bucket->started = true;
	return true;
}

bool token_bucket_ready(const struct token_bucket *bucket, uint64_t now, struct pace pace)
{
	return bucket_level(bucket, now, pace) >= TOKEN;
}

static uint64_t time_to_gain(int64_t tokens, struct pace pace)
{
	uint64_t gained =
		(uint64_t)pace.rate * (TOKEN / SECOND); /* in a millisecond, times seconds */

	return tokens > 0 ? ((uint64_t)tokens * pace.seconds + gained - 1) / gained : 0;
}

uint64_t token_bucket_wait(const struct token_bucket *bucket, uint64_t now, struct pace pace)
{
	return time_to_gain(TOKEN - bucket_level(bucket, now, pace), pace);
}

struct sources *sources_new(void)
{
	struct sources *sources = calloc(1, sizeof *sources);

	if (!sources)
		return NULL;
	if (prefix_hash_init(&sources->hash) < 0) {
		free(sources);
		return NULL;
	}
	TAILQ_INIT(&sources->ring);
	return sources;
}

void sources_free(struct sources *sources)
{
	struct source *source, *next;

	if (!sources)
		return;
	HASH_ITER(hh, sources->table, source, next) {
		HASH_DEL(sources->table, source);
		free(source);
	}
	free(sources);
}

size_t sources_count(const struct sources *sources)
{
	return HASH_COUNT(sources->table);
}

static struct source *source_find(const struct sources *sources, const struct prefix *prefix)
{
	uint32_t hash = prefix_hash(&sources->hash, prefix);
	struct source *source;

	HASH_FIND_BYHASHVALUE(hh, sources->table, prefix, PREFIX_KEY_SIZE, hash, source);
	return source;
}

static void source_forget(struct sources *sources, struct source *source)
{
	TAILQ_REMOVE(&sources->ring, source, ring);
	HASH_DEL(sources->table, source);
	free(source);
}

/* Moves the first source of the ring to its end and returns it; NULL when it is empty. */
static struct source *ring_next(struct sources *sources)
{
	struct source *source = TAILQ_FIRST(&sources->ring);

	if (source) {
		TAILQ_REMOVE(&sources->ring, source, ring);
		TAILQ_INSERT_TAIL(&sources->ring, source, ring);
	}
	return source;
}

static void forget_the_whole(struct sources *sources)
{
	for (int i = 0; i < SWEEP; i++) {
		struct source *source = ring_next(sources);

		if (source && source->whole_at <= sources->now)
			source_forget(sources, source);
	}
}

static void forget_one(struct sources *sources)
{
	struct source *wholest = NULL;

	for (int i = 0; i < SAMPLE; i++) {
		struct source *source = ring_next(sources);

		if (!wholest || source->whole_at < wholest->whole_at)
			wholest = source;
	}
	if (wholest)
		source_forget(sources, wholest);
}

static struct source *source_add(struct sources *sources, const struct prefix *prefix)
{
	uint32_t hash = prefix_hash(&sources->hash, prefix);
	struct source *source = calloc(1, sizeof *source);

	if (!source)
		return NULL;
	source->prefix = *prefix;
	HASH_ADD_BYHASHVALUE(hh, sources->table, prefix, PREFIX_KEY_SIZE, hash, source);
	if (!source->hh.tbl) {
		free(source);
		errno = ENOMEM;
		return NULL;
	}
	TAILQ_INSERT_TAIL(&sources->ring, source, ring);
	return source;
}

/* The source of a known address, added when it is new; NULL: out of memory. */
static struct source *source_remember(struct sources *sources, const struct address *address,
				      struct source_prefix lengths)
{
	struct prefix prefix = prefix_of_source(address, lengths);
	struct source *source;

	forget_the_whole(sources);
	source = source_find(sources, &prefix);
	if (source)
		return source;
	if (sources_count(sources) >= SOURCES_MAX)
		forget_one(sources);
	return source_add(sources, &prefix);
}

unsigned sources_running(const struct sources *sources, const struct address *address,
			 struct source_prefix lengths)
{
	struct prefix prefix = prefix_of_source(address, lengths);
	const struct source *source = source_find(sources, &prefix);

	return source ? source->running : 0;
}

struct source *source_enter(struct sources *sources, const struct address *address,
			    struct source_prefix lengths)
{
	struct source *source;

	if (!address_is_known(address)) {
		errno = 0;
		return NULL;
	}
	source = source_remember(sources, address, lengths);
	if (source && source->running++ == 0)
		TAILQ_REMOVE(&sources->ring, source, ring);
	return source;
}

void source_leave(struct sources *sources, struct source *source)
{
	if (--source->running > 0)
		return;
	TAILQ_INSERT_TAIL(&sources->ring, source, ring);
	if (source->whole_at <= sources->now)
		source_forget(sources, source);
}

static void clock_advance(struct sources *sources, uint64_t now)
{
	uint32_t second;

	if (now > sources->now)
		sources->now = now;
	second = (uint32_t)(sources->now / SECOND);
	if (second == sources->second)
		return;
	sources->asking_before = second == sources->second + 1 ? sources->asking : 0;
	sources->asking = sources->joining = 0;
	sources->second = second;
}

static void source_is_whole_not_before(struct source *source, uint64_t when)
{
	if (source->whole_at < when)
		source->whole_at = when;
}

bool source_take_token(struct sources *sources, const struct address *address,
		       struct source_prefix lengths, uint64_t now, struct pace pace)
{
	struct source *source;
	int64_t missing;
	bool taken;

	clock_advance(sources, now);
	if (!address_is_known(address))
		return true;
	source = source_remember(sources, address, lengths);
	if (!source)
		return true;
	taken = token_bucket_take(&source->bucket, now, pace);
	missing = (int64_t)pace.burst * TOKEN - bucket_level(&source->bucket, now, pace);
	source_is_whole_not_before(source, now + time_to_gain(missing, pace));
	return taken;
}

/* Counts one request of source. Returns how many it made during the last second before
 * this one, in thousandths. */
static uint64_t source_ask(struct sources *sources, struct source *source)
{
	uint64_t left = SECOND - sources->now % SECOND, asked;

	if (source->second != sources->second) {
		source->asked_before = source->second + 1 == sources->second ? source->asked : 0;
		source->asked = 0;
		source->second = sources->second;
	}
	if (source->asked == 0) {
		sources->asking++;
		if (source->asked_before == 0)
			sources->joining++;
	}
	asked = source->asked_before * left + source->asked * (uint64_t)SECOND;
	source->asked++;
	source_is_whole_not_before(source, (sources->now / SECOND + 2) * SECOND);
	return asked;
}

/* Called for each connection, to count the sources that share the rate. */
static bool ask_is_below_share(struct sources *sources, const struct address *address,
			       struct source_prefix lengths, struct pace pace)
{
	struct source *source = NULL;
	uint64_t asked;

	if (address_is_known(address))
		source = source_remember(sources, address, lengths);
	if (!source)
		return false;
	asked = source_ask(sources, source);
	return asked * (sources->asking_before + sources->joining) * pace.seconds <
	       (uint64_t)pace.rate * SECOND;
}

bool sources_admit(struct sources *sources, struct token_bucket *service,
		   struct token_bucket *reserve, const struct address *address,
		   struct source_prefix lengths, uint64_t now, struct pace pace)
{
	uint32_t quarter = pace.rate >= 4 ? pace.rate / 4 : 1;
	struct pace reserved = { quarter, pace.seconds, quarter };
	bool is_below_share;

	clock_advance(sources, now);
	is_below_share = ask_is_below_share(sources, address, lengths, pace);
	if (token_bucket_take(service, now, pace))
		return true;
	return is_below_share && token_bucket_take(reserve, now, reserved);
}
