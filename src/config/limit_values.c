/* The readers of attributes about access, limits and resource limits. */
#include "base/span.h"
#include "config/networks.h"
#include "config/reading.h"
#include "config/rule_files.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_unlimited(const char *text)
{
	return strcasecmp(text, "UNLIMITED") == 0;
}

void read_count(struct reading *reading, void *field)
{
	uint64_t number = UNLIMITED;

	if (is_unlimited(first_word(reading)) ||
	    parse_number(first_word(reading), INT_MAX, &number))
		*(unsigned *)field = (unsigned)number;
	else
		reading_refuse(reading, NULL, "\"%s\" is neither a number nor UNLIMITED",
			       first_word(reading));
}

void read_period(struct reading *reading, void *field)
{
	uint64_t seconds;

	if (parse_number(first_word(reading), INT_MAX, &seconds))
		*(int *)field = (int)seconds;
	else
		reading_refuse(reading, NULL, "\"%s\" is not a number of seconds",
			       first_word(reading));
}

void read_kill_timeout(struct reading *reading, void *field)
{
	uint64_t seconds;

	if (parse_number(first_word(reading), KILL_TIMEOUT_MAX, &seconds) && seconds > 0)
		*(int *)field = (int)seconds;
	else
		reading_refuse(reading, NULL, "\"%s\" is not a number of seconds from 1 to %d",
			       first_word(reading), KILL_TIMEOUT_MAX);
}

static void set_limit(struct service_settings *service, rlim_t *limit, uint64_t number)
{
	*limit = number;
	service->program->limit_is_set[limit - service->program->limits] = true;
}

static void read_limit(struct reading *reading, rlim_t *limit, bool with_unit)
{
	const char *text = first_word(reading);
	uint64_t number = RLIM_INFINITY;

	if (is_unlimited(text) ||
	    (with_unit ? parse_size(text, &number) : parse_number(text, RLIM_INFINITY, &number)))
		set_limit(reading->service, limit, number);
	else
		reading_refuse(reading, NULL, "\"%s\" is neither a number%s nor UNLIMITED", text,
			       with_unit ? " (K, M or G may follow)" : "");
}

void read_size(struct reading *reading, void *field)
{
	read_limit(reading, field, true);
}

void read_number(struct reading *reading, void *field)
{
	read_limit(reading, field, false);
}

enum { MEMORY_MIN = 1 << 20, CPU_MAX = 100000 };

/* Less would not even start a program. */
void read_memory(struct reading *reading, void *field)
{
	uint64_t size = 0;

	if (is_unlimited(first_word(reading)) ||
	    (parse_size(first_word(reading), &size) && size >= MEMORY_MIN && size <= INT64_MAX))
		*(uint64_t *)field = size;
	else
		reading_refuse(reading, NULL,
			       "\"%s\" is neither a number of bytes (K, M or G may follow) from 1M "
			       "nor UNLIMITED",
			       first_word(reading));
}

/* A number from 1 to most; or UNLIMITED, if there may be no limit, which is 0. */
static void read_positive(struct reading *reading, unsigned *field, unsigned most, const char *what,
			  bool may_be_unlimited)
{
	uint64_t number = 0;

	if ((may_be_unlimited && is_unlimited(first_word(reading))) ||
	    (parse_number(first_word(reading), most, &number) && number > 0))
		*field = (unsigned)number;
	else if (may_be_unlimited)
		reading_refuse(reading, NULL, "\"%s\" is neither a %s from 1 to %u nor UNLIMITED",
			       first_word(reading), what, most);
	else
		reading_refuse(reading, NULL, "\"%s\" is not a %s from 1 to %u",
			       first_word(reading), what, most);
}

/* The kernel's own limit is 4,194,304. */
void read_processes(struct reading *reading, void *field)
{
	read_positive(reading, field, 1 << 22, "number of processes", true);
}

void read_cpu(struct reading *reading, void *field)
{
	read_positive(reading, field, CPU_MAX, "percentage of one processor", true);
}

void read_proof_of_work(struct reading *reading, void *field)
{
	read_positive(reading, field, PROOF_OF_WORK_MAX, "difficulty", false);
}

void read_load(struct reading *reading, void *field)
{
	const char *text = first_word(reading);
	char *end;
	double load = strtod(text, &end);

	if (text[strspn(text, "0123456789.")] || *end || !(load > 0) || load > 1e6)
		reading_refuse(reading, NULL, "\"%s\" is not a load above 0, such as 2.5", text);
	else
		*(double *)field = load;
}

/* --- rates -------------------------------------------------------------------- */

enum { RATE_MAX = 10000000, RATE_SECONDS_MAX = 86400 };

static bool read_one_number(struct reading *reading, const struct word *word, uint64_t most,
			    uint64_t *number)
{
	if (parse_number(word->text, most, number))
		return true;
	reading_refuse(reading, word, "\"%s\" is not a number from 0 to %llu", word->text,
		       (unsigned long long)most);
	return false;
}

/* NUMBER, per second, or NUMBER/SECONDS. */
static bool read_rate(struct reading *reading, struct rate *rate)
{
	const char *text = first_word(reading);
	struct span seconds = { text, strchr(text, '\0') };
	struct span number = span_take_until(&seconds, "/");
	bool has_seconds = number.end < seconds.end;
	uint64_t count, length = 1;

	if (!span_number(number, RATE_MAX, &count) ||
	    (has_seconds && (!span_number(seconds, RATE_SECONDS_MAX, &length) || length == 0))) {
		reading_refuse(reading, NULL,
			       "\"%s\" is not a number from 0 to %d, alone or with "
			       "seconds as in 25/60",
			       text, RATE_MAX);
		return false;
	}
	rate->rate = (uint32_t)count;
	rate->seconds = (uint32_t)length;
	return true;
}

void read_cps(struct reading *reading, void *field)
{
	struct rate rate;
	uint64_t other;

	if (!read_rate(reading, &rate) ||
	    !read_one_number(reading, reading->words[1], RATE_MAX, &other))
		return;
	rate.other = (uint32_t)other;
	*(struct rate *)field = rate;
}

void read_source_cps(struct reading *reading, void *field)
{
	read_cps(reading, field);
	if (!reading->refused && ((struct rate *)field)->rate > 0 &&
	    ((struct rate *)field)->other == 0)
		reading_refuse(reading, reading->words[1], "the burst must be at least 1");
}

void read_source_prefix(struct reading *reading, void *field)
{
	uint64_t lengths[2];

	if (!read_one_number(reading, reading->words[0], 128, &lengths[0]) ||
	    !read_one_number(reading, reading->words[1], 128, &lengths[1]))
		return;
	if (lengths[0] > 32) {
		reading_refuse(reading, NULL, "an IPv4 address has 32 bits, not %s",
			       first_word(reading));
		return;
	}
	*(struct source_prefix *)field =
		(struct source_prefix){ .in4 = (uint8_t)lengths[0], .in6 = (uint8_t)lengths[1] };
}

void read_cps_action(struct reading *reading, void *field)
{
	static const struct name_value actions[] = {
		{ "refuse", CPS_REFUSE },
		{ "queue", CPS_QUEUE },
		{ "suspend", CPS_SUSPEND },
		{ 0 },
	};
	int action;

	if (read_name(reading, reading->words[0], actions, &action))
		*(enum cps_action *)field = (enum cps_action)action;
}

void read_at_limit(struct reading *reading, void *field)
{
	static const struct name_value actions[] = {
		{ "refuse", AT_LIMIT_REFUSE },
		{ "queue", AT_LIMIT_QUEUE },
		{ 0 },
	};
	int action;

	if (read_name(reading, reading->words[0], actions, &action))
		*(enum at_limit *)field = (enum at_limit)action;
}

enum { LINGERING_CLOSE_MAX = 600 };

void read_lingering_close(struct reading *reading, void *field)
{
	const char *text = first_word(reading);
	uint64_t seconds = LINGERING_CLOSE_YES;

	if (strcasecmp(text, "no") == 0)
		seconds = 0;
	else if (strcasecmp(text, "yes") != 0 &&
		 !parse_number(text, LINGERING_CLOSE_MAX, &seconds)) {
		reading_refuse(reading, NULL, "\"%s\" is neither yes nor no nor 0 to %d seconds",
			       text, LINGERING_CLOSE_MAX);
		return;
	}
	*(int *)field = (int)seconds;
}

void read_kill_on_disconnect(struct reading *reading, void *field)
{
	static const struct name_value causes[] = {
		{ "no", KILL_NEVER },
		{ "reset", KILL_ON_RESET },
		{ "fin", KILL_ON_FIN },
		{ 0 },
	};
	int cause;

	if (read_name(reading, reading->words[0], causes, &cause))
		*(enum kill_on_disconnect *)field = (enum kill_on_disconnect)cause;
}

void read_pty(struct reading *reading, void *field)
{
	static const struct name_value kinds[] = {
		{ "no", PTY_NO },
		{ "yes", PTY_YES },
		{ "eof", PTY_EOF },
		{ 0 },
	};
	int kind;

	if (read_name(reading, reading->words[0], kinds, &kind))
		*(enum pty_kind *)field = (enum pty_kind)kind;
}

void read_on_remove(struct reading *reading, void *field)
{
	static const struct name_value actions[] = {
		{ "end", ON_REMOVE_END },
		{ "drain", ON_REMOVE_DRAIN },
		{ 0 },
	};
	int action;

	if (read_name(reading, reading->words[0], actions, &action))
		*(enum on_remove *)field = (enum on_remove)action;
}

void read_processes_at_exit(struct reading *reading, void *field)
{
	static const struct name_value actions[] = {
		{ "keep", AT_EXIT_KEEP },
		{ "kill", AT_EXIT_KILL },
		{ 0 },
	};
	int action;

	if (read_name(reading, reading->words[0], actions, &action))
		*(enum processes_at_exit *)field = (enum processes_at_exit)action;
}

void read_deny_time(struct reading *reading, void *field)
{
	const char *text = first_word(reading);
	uint64_t minutes = 0;

	if (strcasecmp(text, "FOREVER") == 0)
		*(int *)field = -1;
	else if (strcasecmp(text, "NEVER") == 0 || parse_number(text, INT_MAX, &minutes))
		*(int *)field = (int)minutes;
	else
		reading_refuse(reading, NULL, "\"%s\" is not a number of minutes, FOREVER or NEVER",
			       text);
}

/* --- who and when --------------------------------------------------------------- */

static void take_rule_file(struct reading *reading, struct access_list *list,
			   const struct word *word)
{
	const char *wrong;
	struct rule_set *set = rule_files_find(reading->rule_files, word->text + 1, &wrong);

	if (!set)
		reading_refuse(reading, word, "%s %s", word->text, wrong);
	else if (!access_list_add_set(list, set, word->file, word->line))
		reading_refuse(reading, word, "there are more than %d files in the list",
			       ACCESS_SETS_MAX);
}

static void take_access_word(struct reading *reading, struct access_list *list,
			     const struct word *word)
{
	enum access_word what =
		access_list_add(list, word->text, word->file, word->line, network_named);

	if (what != WORD_ADDED)
		reading_refuse(reading, word, "\"%s\" %s", word->text, access_word_text(what));
}

void read_access_list(struct reading *reading, void *field)
{
	struct access_list *list = field;

	list->is_set = true;
	for (size_t i = 0; i < reading->count; i++)
		if (names_rule_file(reading->words[i]->text))
			take_rule_file(reading, list, reading->words[i]);
		else
			take_access_word(reading, list, reading->words[i]);
}

void read_proxy_protocol(struct reading *reading, void *field)
{
	static const struct name_value versions[] = {
		{ "off", 0 }, { "v1", 1 }, { "v2", 2 }, { "any", 1 | 2 }, { 0 },
	};
	int version;

	if (read_name(reading, reading->words[0], versions, &version))
		*(unsigned *)field = (unsigned)version;
}

void read_send_proxy(struct reading *reading, void *field)
{
	static const struct name_value versions[] = { { "v1", 1 }, { "v2", 2 }, { 0 } };
	int version;

	if (read_name(reading, reading->words[0], versions, &version))
		*(unsigned *)field = (unsigned)version;
}

void read_proxy_others(struct reading *reading, void *field)
{
	static const struct name_value others[] = {
		{ "refuse", PROXY_OTHERS_REFUSE },
		{ "direct", PROXY_OTHERS_DIRECT },
		{ 0 },
	};
	int what;

	if (read_name(reading, reading->words[0], others, &what))
		*(enum proxy_others *)field = (enum proxy_others)what;
}

void read_access_times(struct reading *reading, void *field)
{
	struct access_interval *intervals =
		arena_take(reading->arena, reading->count * sizeof *intervals);

	if (!intervals)
		return;
	for (size_t i = 0; i < reading->count; i++)
		if (access_interval_parse(&intervals[i], reading->words[i]->text) < 0)
			reading_refuse(reading, reading->words[i],
				       "\"%s\" is not an interval such as 8:00-17:30",
				       reading->words[i]->text);
	*(struct access_interval **)field = intervals;
	reading->service->admission->access_times_count = reading->count;
}
