/* A service entry while it is made, and the whole of a conversion. Internal to import. */
#ifndef USHERD_IMPORT_DRAFT_H
#define USHERD_IMPORT_DRAFT_H

#include "base/span.h"
#include "base/text.h"
#include "config/attributes.h"
#include "config/problem.h"
#include "import/files.h"

#include <stdint.h>

/* What is known while files are converted. */
struct import {
	const struct import_file *files;
	size_t files_count;
	bool is_read[IMPORT_FILES_ALL]; /* as the service of another file */
	const char *directory;          /* for relative programs */
	struct problems *problems;
	struct text entries, notes; /* the two parts of the output */
	size_t count;               /* of entries */
	const char *file;           /* which is read now */
	int line;                   /* which is read now */
};

enum { DRAFT_NAME_SIZE = 64 };

struct draft {
	struct import *import;
	char name[DRAFT_NAME_SIZE];
	struct draft_line {
		bool is_set;
		struct text words; /* as they stand in the entry, with a blank before each */
	} lines[ATTRIBUTES_MAX];
};

/* Lists what has no counterpart, or needs a decision, with the file and line that is read, as
 * "WHAT: WHY". Bytes that are not printable become `?`. */
void import_note(struct import *import, struct span what, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An ERROR about the file and line that is read. */
void import_complain(struct import *import, const char *text);

/* Begins an entry; the characters of name that can't stand in a header become hyphens. */
void draft_begin(struct draft *draft, struct import *import, struct span name);

/* Gives it another name. */
void draft_rename(struct draft *draft, struct span name);

/* Sets an attribute to words that need no quotes, in place of what it was. */
void draft_set(struct draft *draft, const char *attribute, const char *words);
void draft_set_format(struct draft *draft, const char *attribute, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Adds one word, with quotes if it needs them. One that no entry can have, with a line break or
 * of more than 64 KiB, is noted instead. */
void draft_add(struct draft *draft, const char *attribute, struct span word);

/* Adds two words, or neither of them. */
void draft_add_pair(struct draft *draft, const char *attribute, struct span first,
		    struct span second);

enum { SIZE_TEXT = 24 };

/* A number of bytes, with the largest unit (K, M, G) that fits. */
struct span size_text(char text[SIZE_TEXT], uint64_t bytes);

/* The attribute is not set any more. */
void draft_unset(struct draft *draft, const char *attribute);

bool draft_has(const struct draft *draft, const char *attribute);

/* True when the attribute is set to these words. */
bool draft_is(const struct draft *draft, const char *attribute, const char *words);

/* Adds a word to flags. */
void draft_add_flag(struct draft *draft, const char *flag);

/* Sets server to a program, for which a name without a slash is looked up where programs are,
 * and another relative one in the import's directory. */
void draft_set_program(struct draft *draft, struct span program);

/* What all formats but inetd.conf and systemd have in common: an unlisted stream service with
 * a process for each connection. */
void draft_set_stream(struct draft *draft);

/* Says `user = nobody` and that somebody has to choose, unless there is a user. */
void draft_choose_user(struct draft *draft, const char *why);

/* Writes the entry as it is now; it may be changed and written again. One that lacks what a
 * service needs is disabled. An entry's name is made different from those before. */
void draft_write(struct draft *draft);

void draft_clear(struct draft *draft);

#endif
