/* The text of a ban file: a first line, then a line for each banned address with the second
 * of its end, or the word forever.
 *
 *	usherd-bans 1 1764547200
 *	192.0.2.7 1764550800
 *	2001:db8::7 forever
 *
 * All are seconds since the epoch (UTC), because the bans' own clock begins anew with the
 * system. The first line has the second of writing: when the system's clock stands before
 * it, no ban is longer than it was then. Pure. */
#ifndef USHERD_MONITOR_BAN_TEXT_H
#define USHERD_MONITOR_BAN_TEXT_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Of a ban that does not end. */
#define BAN_FOREVER UINT64_MAX

struct ban_text_events {
	/* A ban with so many milliseconds left, or BAN_FOREVER. */
	void (*ban)(const struct address *address, uint64_t left);
	void (*wrong)(int line); /* that is no ban */
};

/* Reads a text at the second `now`; bans that are over are left out. False, and nothing
 * else, when it has another first line. An empty text has no bans. */
bool ban_text_read(const char *text, size_t length, int64_t now,
		   const struct ban_text_events *events);

/* Writes the first line; a ban. `left` is rounded up to seconds. */
void ban_text_begin(FILE *out, int64_t now);
void ban_text_add(FILE *out, const struct address *address, uint64_t left, int64_t now);

/* More than SENSOR_LIST_MAX of the longest lines. */
enum { BAN_TEXT_MAX = 1 << 20 };

#endif
