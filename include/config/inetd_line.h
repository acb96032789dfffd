/* A line of inetd.conf, and the translation of its fields into the body of an
 * entry. Internal to config. */
#ifndef USHERD_CONFIG_INETD_LINE_H
#define USHERD_CONFIG_INETD_LINE_H

#include "base/text.h"
#include "config/problem.h"
#include "base/span.h"

/* The order of the words of a line, without the addresses before the name. */
enum inetd_field {
	FIELD_NAME,
	FIELD_TYPE,
	FIELD_PROTOCOL,
	FIELD_WAIT,
	FIELD_USER,
	FIELD_SERVER,
	FIELD_ARGUMENTS
};

struct inetd_line {
	const char *file;
	int number;
	struct problems *problems;
	const struct span *words;
	size_t count;
	struct span addresses, name;
	bool has_ipv6_sibling; /* another line serves the same name over IPv6 only */
	bool broken;           /* an error was reported */

	/* Set during the translation. */
	struct text body;
	bool is_ipv6_only, is_internal;
	uint64_t instances; /* 0: no limit */
	const char *types[3], *flags[4];
	size_t types_count, flags_count;
};

struct inetd_protocol {
	const char *name, *base, *flag;
	bool is_ipv6_only;
};

/* The protocol that a word such as rpc/udp6 means, or NULL for one that is not
 * tcp or udp. */
const struct inetd_protocol *inetd_protocol_find(struct span word);

/* Reports. */
void inetd_line_complain(struct inetd_line *line, enum severity severity, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The body, on one line, to be freed; line->name is then the service's name only.
 * NULL, reported, when memory runs out. */
char *inetd_line_translate(struct inetd_line *line);

#endif
