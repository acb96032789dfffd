/* Reads xinetd's configuration language and writes each entry's body as libconfuse text,
 * line by line, so that libconfuse's line numbers are those of the file.
 *
 *	service telnet                      (the header is parsed here)
 *	{
 *	    # comment
 *	    server_args = -l "a b" ${X}     server_args += {'=', '-l', 'a b', '${X}'}
 *	    only_from  -= localhost         only_from += {'-=', 'localhost'}
 *	    log_on_success =                log_on_success += {'='}
 *	}
 *
 * Each attribute becomes a list; each of its lines adds to it, the operator
 * first. The text for libconfuse has no comments, no includes, no unclosed
 * quotes and nothing to expand.
 *
 * The language is a superset of xinetd's: blanks around an operator are
 * optional, `{` may end the header line, CR counts as a blank, a byte order
 * mark is skipped, a word that begins with `"` runs to the closing one (with
 * \" and \\ inside), and a word that begins with `#` begins a comment after
 * the values of every attribute but server_args and env. */
#ifndef USHERD_CONFIG_SYNTAX_H
#define USHERD_CONFIG_SYNTAX_H

#include "base/text.h"
#include "config/problem.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

enum entry_kind {
	ENTRY_SERVICE,
	ENTRY_DEFAULTS,
	ENTRY_DAEMON,     /* usherd's own: attributes of the daemon as a whole */
	ENTRY_INCLUDE,    /* no body */
	ENTRY_INCLUDEDIR, /* no body */
};

/* The state of reading. */
struct syntax {
	const char *file;
	struct lines lines;
	bool lost_entries; /* text was skipped that may have been an entry */
	struct problems *problems;
};

struct raw_entry {
	enum entry_kind kind;
	char *name;    /* of the service, or the path to include; "" for the others */
	int line;      /* of the header */
	int body_line; /* the line number of the first line of body */
	char *body;    /* libconfuse text */
	bool broken;   /* an error in it was reported */
};

/* Starts on length bytes of text, which stay the caller's and must outlive it. */
void syntax_begin(struct syntax *syntax, const char *file, const char *text, size_t length,
		  struct problems *problems);

/* Finds the next entry; other text is reported and skipped. Returns
 * true with *entry filled in (to be given to raw_entry_clear), false at the end
 * or, reported, when memory runs out. */
bool syntax_next(struct syntax *syntax, struct raw_entry *entry);

void raw_entry_clear(struct raw_entry *entry);

/* Writes text to a body as a libconfuse string, with everything escaped that could end
 * it. */
void syntax_put_string(struct text *body, const char *text, size_t length);

/* "service", "defaults", "daemon", "include" or "includedir". */
const char *entry_kind_name(enum entry_kind kind);

#endif
