/* The words of only_from and no_access: what each stands for. Pure: it looks up no host names.
 * Internal to config. */
#ifndef USHERD_CONFIG_ACCESS_WORD_H
#define USHERD_CONFIG_ACCESS_WORD_H

#include "config/access_rule.h"

#include <stdbool.h>
#include <stddef.h>

/* What became of a word. */
enum access_word {
	WORD_ADDED,
	WORD_HAS_COMMA,  /* "1.2.3.4,": a comma outside braces */
	WORD_BAD_MASK,   /* a prefix length that is no number or too long */
	WORD_BAD_FACTOR, /* braces that are not {NUMBER,NUMBER...}, up to 255 each and 256 in all,
			   * in place of the last component of an IPv4 address */
	WORD_PART_OF_ADDRESS, /* an IPv4 address without its end: "127.0.0.", "10.1/16" */
	WORD_NO_ADDRESS,      /* digits and dots, or colons, that are no address; or any other
			   * text before a slash */
	WORD_BAD_NAME,        /* no possible host, domain or network name */
	WORD_NO_MEMORY,       /* it could not be added */
};

/* A sentence part for messages, such as "has a comma in it - remove the comma". */
const char *access_word_text(enum access_word what);

enum { ACCESS_FACTORS_MAX = 256 };

/* The meaning of a word, before memory is allocated for it. */
struct access_meaning {
	enum access_rule_kind kind;
	const char *name; /* the word itself */
	size_t count;     /* rules it makes */
	struct prefix prefixes[ACCESS_FACTORS_MAX];
};

/* True, with the network's addresses, when it is the name of one. */
typedef bool network_lookup(const char *name, struct prefix *prefix);

/* What word stands for, possibly several rules:
 *   a.b.c.d        IPv4; trailing zero octets are wildcards: 10.1.0.0 is
 *                  10.1.0.0/16, 0.0.0.0 is everybody (IPv4 and, as xinetd has
 *                  it, only IPv4). Also, as in xinetd, whatever inet_aton(3)
 *                  takes: 10.1.2 is 10.1.0.2, 010.0.0.1 is 8.0.0.1
 *   a.b.c.d/n, x::y/n      CIDR; host bits are ignored, the address must be in
 *                  full; ::ffff:a.b.c.d/n with n of 96 or more is a.b.c.d/(n-96)
 *   x::y           IPv6, exact; ::ffff:a.b.c.d is the IPv4 address, exact
 *   a.b.{c,d,e}, a.{b,c}   factorised IPv4: the last component given is
 *                  replaced by each number in turn; missing components are
 *                  wildcards, zeros are not
 *   .domain        every host whose name ends with it, not the domain itself
 *   name           a network of /etc/networks if network_named finds it, otherwise a
 *                  host name
 * A final dot of a name is ignored. network_named may be NULL. Returns
 * WORD_ADDED, or what is wrong. */
enum access_word access_word_read(struct access_meaning *meaning, const char *word,
				  network_lookup *network_named);

#endif
