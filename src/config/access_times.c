#include "config/access_times.h"

enum { MINUTES_A_DAY = 24 * 60 };

/* Moves *text past a number of one or two digits; -1 when there is none. */
static int read_two_digits(const char **text)
{
	const char *digit = *text;
	int number = 0;

	while (*digit >= '0' && *digit <= '9' && digit - *text < 2)
		number = number * 10 + (*digit++ - '0');
	if (digit == *text)
		return -1;
	*text = digit;
	return number;
}

/* Moves *text past "H:MM". Returns the minute, up to MINUTES_A_DAY, or -1. */
static int read_minute(const char **text)
{
	int hour = read_two_digits(text), minute;

	if (hour < 0 || *(*text)++ != ':')
		return -1;
	minute = read_two_digits(text);
	if (minute < 0 || minute > 59 || hour * 60 + minute > MINUTES_A_DAY)
		return -1;
	return hour * 60 + minute;
}

int access_interval_parse(struct access_interval *interval, const char *text)
{
	int first = read_minute(&text), last;

	if (first < 0 || first == MINUTES_A_DAY || *text++ != '-')
		return -1;
	last = read_minute(&text);
	if (last < 0 || *text || first == last)
		return -1;
	interval->first = first;
	interval->last = last < MINUTES_A_DAY ? last : MINUTES_A_DAY - 1;
	return 0;
}

static bool interval_holds(const struct access_interval *interval, int minute)
{
	if (interval->first <= interval->last)
		return interval->first <= minute && minute <= interval->last;
	return interval->first <= minute || minute <= interval->last;
}

bool access_times_allow(const struct access_interval *intervals, size_t count, int minute)
{
	for (size_t i = 0; i < count; i++)
		if (interval_holds(&intervals[i], minute))
			return true;
	return count == 0;
}
