/* Reads xinetd's configuration language and writes each entry's body as libconfuse text,
 * line by line, so that libconfuse's line numbers are those of the file.
 *
 *	service telnet                      (the header is parsed here)
 *	{
 *	    # comment
 *	    server_args = -l "a b" ${X}     server_args+={'=-l','=a b','=${X}'}
 *	    only_from  -= localhost         only_from+={'-localhost'}
 *	    log_on_success =                log_on_success+={'!='}
 *	}
 *
 * Each attribute becomes a list; each of its lines adds to it. A value begins with the
 * first character of its line's operator; of a line without values only the operator is
 * there, after a `!`. The text for libconfuse has no comments, no includes, no unclosed
 * quotes and nothing to expand, and no blanks, because the lexer takes its time for each.
 *
 * The language is a superset of xinetd's: blanks around an operator are
 * optional, `{` may end the header line, CR counts as a blank, a byte order
 * mark is skipped, a word that begins with `"` runs to the closing one (with
 * \" and \\ inside), and a word that begins with `#` begins a comment after
 * the values of every attribute but those with WORDS_FREE. */
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

enum { SYNTAX_NO_VALUES = '!' }; /* begins the only value of a line without values */

/* These write one line of an attribute to a body: the beginning, each value, and the end. sign
 * is the first character of its operator. */
void syntax_begin_values(struct text *body, const char *attribute);
/* Escapes everything that could end a libconfuse string. */
void syntax_put_value(struct text *body, char sign, const char *text, size_t length);
void syntax_end_values(struct text *body, char sign);

/* "service", "defaults", "daemon", "include" or "includedir". */
const char *entry_kind_name(enum entry_kind kind);

#endif
