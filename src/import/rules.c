#include "import/rules.h"

#include "import/words.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

const struct rule *rule_find(const struct rule *rules, struct span option)
{
	for (; rules->option; rules++)
		if (span_is(option, rules->option))
			return rules;
	return NULL;
}

void rules_apply(const struct rule *rules, struct draft *draft, struct span option,
		 struct span value)
{
	const struct rule *rule = rule_find(rules, option);

	if (!rule)
		import_note(draft->import, option, "there is no counterpart");
	else if (!rule->convert && rule->why)
		import_note(draft->import, option, "%s", rule->why);
	else if (rule->convert && !rule->convert(draft, rule, value))
		import_note(draft->import, option, "\"%.*s\" can't be expressed%s%s", SHOWN(value),
			    rule->attribute ? " with " : "",
			    rule->attribute ? rule->attribute : "");
}

/* --- values ------------------------------------------------------------------------------- */

bool value_truth(struct span value, bool *truth)
{
	static const char *const yes[] = { "yes", "true", "on", "1", "y", "t" };
	static const char *const no[] = { "no", "false", "off", "0", "n", "f" };

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		*truth = span_is(value, yes[i]);
		if (*truth || span_is(value, no[i]))
			return true;
	}
	return false;
}

/* Cuts the digits at the front off *rest. */
static struct span take_digits(struct span *rest)
{
	struct span digits = { rest->start, rest->start };

	while (digits.end < rest->end && *digits.end >= '0' && *digits.end <= '9')
		digits.end++;
	rest->start = digits.end;
	return digits;
}

struct unit_factor {
	const char *name;
	uint64_t factor;
};

/* The factor of a unit; 0: there is no such unit. */
static uint64_t factor_of(const struct unit_factor *units, struct span name)
{
	for (; units->name; units++)
		if (span_is(name, units->name))
			return units->factor;
	return 0;
}

bool value_size(struct span value, uint64_t *bytes)
{
	static const struct unit_factor units[] = {
		{ "", 1 },         { "B", 1 },         { "K", 1 << 10 },
		{ "KB", 1 << 10 }, { "KiB", 1 << 10 }, { "M", 1 << 20 },
		{ "MB", 1 << 20 }, { "MiB", 1 << 20 }, { "G", 1 << 30 },
		{ "GB", 1 << 30 }, { "GiB", 1 << 30 }, { "T", (uint64_t)1 << 40 },
		{ NULL, 0 },
	};
	struct span rest = span_trim(value), digits = take_digits(&rest);
	uint64_t factor = factor_of(units, rest);

	if (factor == 0 || !span_number(digits, (uint64_t)INT64_MAX / factor, bytes))
		return false;
	*bytes *= factor;
	return true;
}

enum { MICROSECONDS = 1000000 };

static const struct unit_factor times[] = {
	{ "", MICROSECONDS },
	{ "us", 1 },
	{ "usec", 1 },
	{ "ms", 1000 },
	{ "msec", 1000 },
	{ "s", MICROSECONDS },
	{ "sec", MICROSECONDS },
	{ "second", MICROSECONDS },
	{ "seconds", MICROSECONDS },
	{ "m", (uint64_t)60 * MICROSECONDS },
	{ "min", (uint64_t)60 * MICROSECONDS },
	{ "minute", (uint64_t)60 * MICROSECONDS },
	{ "minutes", (uint64_t)60 * MICROSECONDS },
	{ "h", (uint64_t)3600 * MICROSECONDS },
	{ "hr", (uint64_t)3600 * MICROSECONDS },
	{ "hour", (uint64_t)3600 * MICROSECONDS },
	{ "hours", (uint64_t)3600 * MICROSECONDS },
	{ "d", (uint64_t)86400 * MICROSECONDS },
	{ "day", (uint64_t)86400 * MICROSECONDS },
	{ "days", (uint64_t)86400 * MICROSECONDS },
	{ "w", (uint64_t)604800 * MICROSECONDS },
	{ NULL, 0 },
};

/* Of one number with its unit. */
static bool take_time(struct span *rest, uint64_t *microseconds)
{
	struct span digits = take_digits(rest), unit;
	uint64_t factor;

	*rest = span_trim(*rest);
	unit = (struct span){ rest->start, rest->start };
	while (unit.end < rest->end && !is_blank_char(*unit.end) &&
	       !(*unit.end >= '0' && *unit.end <= '9'))
		unit.end++;
	rest->start = unit.end;
	*rest = span_trim(*rest);
	factor = factor_of(times, unit);
	if (factor == 0 || !span_number(digits, INT_MAX, microseconds))
		return false;
	*microseconds *= factor;
	return true;
}

bool value_time(struct span value, uint64_t *seconds)
{
	uint64_t total = 0, part;

	value = span_trim(value);
	if (span_is_empty(value))
		return false;
	while (!span_is_empty(value)) {
		if (!take_time(&value, &part) || total > INT64_MAX - part)
			return false;
		total += part;
	}
	*seconds = total / MICROSECONDS + (total % MICROSECONDS != 0);
	return *seconds <= INT_MAX;
}

/* --- converters ---------------------------------------------------------------------------- */

bool convert_word(struct draft *draft, const struct rule *rule, struct span value)
{
	if (span_is_empty(value))
		return false;
	draft_unset(draft, rule->attribute);
	draft_add(draft, rule->attribute, value);
	return true;
}

bool convert_list(struct draft *draft, const struct rule *rule, struct span value)
{
	struct words words;
	bool fits = words_split(&words, value, WORDS_SHELL);

	for (size_t i = 0; i < words.count; i++)
		draft_add(draft, rule->attribute, words_get(&words, i));
	words_free(&words);
	return fits;
}

bool convert_commas(struct draft *draft, const struct rule *rule, struct span value)
{
	draft_unset(draft, rule->attribute);
	while (!span_is_empty(value)) {
		struct span part = span_trim(span_take_until(&value, ","));

		if (!span_is_empty(part))
			draft_add(draft, rule->attribute, part);
	}
	return true;
}

static bool is_unlimited(struct span value)
{
	return span_is(value, "infinity") || span_is(value, "unlimited");
}

bool convert_number(struct draft *draft, const struct rule *rule, struct span value)
{
	uint64_t number;

	if (!span_number(value, INT_MAX, &number))
		return false;
	draft_set_format(draft, rule->attribute, "%llu", (unsigned long long)number);
	return true;
}

bool convert_limit(struct draft *draft, const struct rule *rule, struct span value)
{
	if (!is_unlimited(value) && !span_is(value, "0"))
		return convert_number(draft, rule, value);
	draft_set(draft, rule->attribute, "UNLIMITED");
	return true;
}

static void set_size(struct draft *draft, const struct rule *rule, uint64_t bytes)
{
	char text[SIZE_TEXT];

	draft_unset(draft, rule->attribute);
	draft_add(draft, rule->attribute, size_text(text, bytes));
}

bool convert_size(struct draft *draft, const struct rule *rule, struct span value)
{
	uint64_t bytes;

	if (is_unlimited(value))
		draft_set(draft, rule->attribute, "UNLIMITED");
	else if (value_size(value, &bytes))
		set_size(draft, rule, bytes);
	else
		return false;
	return true;
}

static bool convert_unit(struct draft *draft, const struct rule *rule, struct span value,
			 unsigned shift)
{
	uint64_t number;

	if (!span_number(value, (uint64_t)INT64_MAX >> shift, &number))
		return false;
	set_size(draft, rule, number << shift);
	return true;
}

bool convert_mebibytes(struct draft *draft, const struct rule *rule, struct span value)
{
	return convert_unit(draft, rule, value, 20);
}

bool convert_kibibytes(struct draft *draft, const struct rule *rule, struct span value)
{
	return convert_unit(draft, rule, value, 10);
}

bool convert_time(struct draft *draft, const struct rule *rule, struct span value)
{
	uint64_t seconds = 0;

	if (!is_unlimited(value) && !value_time(value, &seconds))
		return false;
	draft_set_format(draft, rule->attribute, "%llu", (unsigned long long)seconds);
	return true;
}

bool convert_yes_no(struct draft *draft, const struct rule *rule, struct span value)
{
	bool truth;

	if (!value_truth(value, &truth))
		return false;
	draft_set(draft, rule->attribute, truth ? "yes" : "no");
	return true;
}

bool convert_flag(struct draft *draft, const struct rule *rule, struct span value)
{
	bool truth = true;

	if (!span_is_empty(value) && !value_truth(value, &truth))
		return false;
	if (truth)
		draft_add_flag(draft, rule->word);
	return true;
}

static bool convert_if(struct draft *draft, const struct rule *rule, struct span value, bool wanted)
{
	bool truth;

	if (!value_truth(value, &truth))
		return false;
	if (truth == wanted)
		draft_set(draft, rule->attribute, rule->word);
	return true;
}

bool convert_true(struct draft *draft, const struct rule *rule, struct span value)
{
	return convert_if(draft, rule, value, true);
}

bool convert_false(struct draft *draft, const struct rule *rule, struct span value)
{
	return convert_if(draft, rule, value, false);
}

bool convert_fixed(struct draft *draft, const struct rule *rule, struct span value)
{
	(void)value;
	draft_set(draft, rule->attribute, rule->word);
	return true;
}

bool convert_octal(struct draft *draft, const struct rule *rule, struct span value)
{
	if (span_is_empty(value) || span_length(value) > 4)
		return false;
	for (const char *c = value.start; c < value.end; c++)
		if (*c < '0' || *c > '7')
			return false;
	return convert_word(draft, rule, value);
}

bool convert_nice(struct draft *draft, const struct rule *rule, struct span value)
{
	struct span digits = value;
	bool is_negative = !span_is_empty(value) && *value.start == '-';
	uint64_t number;

	digits.start += is_negative;
	if (!span_number(digits, is_negative ? 20 : 19, &number))
		return false;
	draft_set_format(draft, rule->attribute, "%s%d", is_negative ? "-" : "", (int)number);
	return true;
}

bool convert_path(struct draft *draft, const struct rule *rule, struct span value)
{
	struct span rest = value;

	if (span_is_empty(value) || *value.start != '/')
		return false;
	while (!span_is_empty(rest))
		if (span_is(span_take_until(&rest, "/"), ".."))
			return false;
	return convert_word(draft, rule, value);
}

bool convert_milliseconds(struct draft *draft, const struct rule *rule, struct span value)
{
	uint64_t number;

	if (!span_number(value, INT_MAX, &number))
		return false;
	if (number == 0)
		draft_set(draft, rule->attribute, "UNLIMITED");
	else
		draft_set_format(draft, rule->attribute, "%d", (int)((number + 9) / 10));
	return true;
}
