#include "config/inetd_conf.h"

#include "base/hash.h"
#include "base/lower_case.h"
#include "config/bounds.h"
#include "config/inetd_line.h"
#include "config/settings.h"
#include "config/source_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The words of a line, with the lines that continue it. */
struct words {
	struct span *list;
	size_t count, capacity;
	const char *wrong; /* the error in one of them; NULL: none */
	int line;          /* of the first */
};

/* A service that a line serves over IPv6 only. */
struct ipv6_name {
	UT_hash_handle hh;
	char key[]; /* "tcp" or "udp", and the name in lower case */
};

struct inetd {
	const char *file;
	struct entry_queue *entries;
	struct problems *problems;
	struct span addresses; /* for lines that have none */
	struct ipv6_name *ipv6_names;
	int lost;
	int count; /* of entries */
};

/* --- lines ------------------------------------------------------------------------- */

/* Splits ADDRESSES: off the first word, at the last colon, because an IPv6 address without
 * brackets has colons too. */
static void split_addresses(struct span word, struct span *addresses, struct span *name)
{
	const char *colon = memrchr(word.start, ':', span_length(word));

	*name = word;
	*addresses = (struct span){ word.start, word.start };
	if (!colon)
		return;
	addresses->end = colon;
	name->start = colon + 1;
}

/* Finds addresses and name, which may be one word or two. False for a line with only
 * addresses, which are for the following lines. */
static bool line_begin(struct inetd_line *line, struct inetd *inetd, const struct words *words)
{
	*line = (struct inetd_line){
		.file = inetd->file,
		.number = words->line,
		.problems = inetd->problems,
		.words = words->list,
		.count = words->count,
	};
	split_addresses(words->list[0], &line->addresses, &line->name);
	if (line->name.start == words->list[0].start)
		line->addresses = inetd->addresses;
	if (span_is_empty(line->name) && words->count > 1) {
		line->words++;
		line->count--;
		line->name = line->words[0];
	}
	return !span_is_empty(line->name);
}

/* Writes the key under which an IPv6 line's service is known; false when the
 * name is too long for one. */
static bool ipv6_key(char *key, size_t size, const char *base, struct span name)
{
	int length = snprintf(key, size, "%s %.*s", base, (int)span_length(name), name.start);

	lower_case(key);
	return length > 0 && (size_t)length < size;
}

enum { KEY_SIZE = 256 };

static bool has_ipv6_line(const struct inetd *inetd, const char *key)
{
	struct ipv6_name *found;

	HASH_FIND_STR(inetd->ipv6_names, key, found);
	return found != NULL;
}

/* Notes a line for IPv6 only, because it changes the meaning of other lines. */
static void note_ipv6(struct inetd *inetd, const struct words *words)
{
	const struct inetd_protocol *protocol;
	struct inetd_line line;
	struct ipv6_name *name;
	char key[KEY_SIZE];

	if (!line_begin(&line, inetd, words) || line.count <= FIELD_PROTOCOL)
		return;
	protocol = inetd_protocol_find(line.words[FIELD_PROTOCOL]);
	if (!protocol || !protocol->is_ipv6_only ||
	    !ipv6_key(key, sizeof key, protocol->base, line.name) || has_ipv6_line(inetd, key))
		return;
	name = calloc(1, sizeof *name + sizeof key);
	if (!name)
		return;
	memcpy(name->key, key, strlen(key));
	HASH_ADD_KEYPTR(hh, inetd->ipv6_names, name->key, strlen(name->key), name);
	if (!name->hh.tbl)
		free(name);
}

static void free_ipv6_names(struct inetd *inetd)
{
	struct ipv6_name *each, *next;

	HASH_ITER(hh, inetd->ipv6_names, each, next) {
		HASH_DEL(inetd->ipv6_names, each);
		free(each);
	}
}

static bool has_ipv6_sibling(const struct inetd *inetd, const struct inetd_line *line)
{
	const struct inetd_protocol *protocol = inetd_protocol_find(line->words[FIELD_PROTOCOL]);
	char key[KEY_SIZE];

	return protocol && ipv6_key(key, sizeof key, protocol->base, line->name) &&
	       has_ipv6_line(inetd, key);
}

/* The message for notations that are not supported; NULL: there is none in line. */
static const char *foreign_notation(const struct inetd_line *line)
{
	if (*line->name.start == '.')
		return "directives such as .include are not followed; put the lines of the other "
		       "file here, or write xinetd-style entries";
	if (line->count > FIELD_TYPE &&
	    (span_is(line->words[FIELD_TYPE], "on") || span_is(line->words[FIELD_TYPE], "off")))
		return "services in KEY = VALUE notation are not read; write the fields of a line, "
		       "or an xinetd-style entry";
	if (*line->name.start == '/' ||
	    (line->count > FIELD_PROTOCOL && span_is(line->words[FIELD_PROTOCOL], "unix")))
		return "unix sockets are not served; give the service a port with bind = 127.0.0.1, "
		       "or let the service manager listen on the path";
	return NULL;
}

/* The entry with that body, or NULL, reported, when memory runs out. */
static struct entry *make_entry(const struct inetd_line *line, char *body)
{
	struct raw_entry raw = {
		.kind = ENTRY_SERVICE,
		.line = line->number,
		.body_line = line->number,
		.name = strndup(line->name.start, span_length(line->name)),
		.body = body,
		.broken = line->broken,
	};
	struct entry *entry = NULL;

	if (raw.name)
		entry = entry_parse(&raw, line->file, line->problems);
	else
		problem_add(line->problems, ERROR, line->file, line->number, "out of memory");
	free(raw.name);
	return entry;
}

static void add_entry(struct inetd *inetd, struct inetd_line *line)
{
	char *body;
	struct entry *entry;

	line->has_ipv6_sibling = has_ipv6_sibling(inetd, line);
	body = inetd_line_translate(line);
	entry = body ? make_entry(line, body) : NULL;
	free(body);
	if (entry && inetd->count++ == LOAD_ENTRIES_MAX)
		inetd_line_complain(line, ERROR,
				    "there are more than %d lines; this one and "
				    "those after it are left out",
				    LOAD_ENTRIES_MAX);
	if (entry && inetd->count <= LOAD_ENTRIES_MAX) {
		STAILQ_INSERT_TAIL(inetd->entries, entry, link);
	} else {
		entry_free(entry);
		inetd->lost++;
	}
}

static void take_line(struct inetd *inetd, const struct words *words)
{
	struct inetd_line line;
	const char *foreign;

	if (!line_begin(&line, inetd, words)) {
		inetd->addresses = line.addresses;
		return;
	}
	foreign = foreign_notation(&line);
	if (foreign) {
		inetd_line_complain(&line, ERROR, "%s", foreign);
	} else if (words->wrong) {
		inetd_line_complain(&line, ERROR, "%s", words->wrong);
		inetd->lost++;
	} else if (line.count < FIELD_ARGUMENTS) {
		inetd_line_complain(&line, ERROR,
				    "NAME TYPE PROTOCOL WAIT USER SERVER are "
				    "expected, and there are only %zu words",
				    line.count);
		inetd->lost++;
	} else {
		add_entry(inetd, &line);
	}
}

/* --- words --------------------------------------------------------------------------- */

static void words_add(struct words *words, struct span word)
{
	if (span_length(word) > WORD_LENGTH_MAX || words->count == VALUES_MAX) {
		words->wrong = "a word of more than 128 KiB, or too many words";
		return;
	}
	if (words->count == words->capacity) {
		size_t capacity = words->capacity ? 2 * words->capacity : 16;
		struct span *list = reallocarray(words->list, capacity, sizeof *list);

		if (!list) {
			words->wrong = "out of memory";
			return;
		}
		words->list = list;
		words->capacity = capacity;
	}
	words->list[words->count++] = word;
}

/* Takes a word in quotes, without them, off the front of *rest. */
static struct span take_quoted_word(struct words *words, struct span *rest)
{
	const char quote[] = { *rest->start, '\0' };
	struct span word;

	rest->start++;
	word = span_take_until(rest, quote);
	if (word.end == rest->end)
		words->wrong = "a word that begins with a quote has no closing one";
	return word;
}

static void words_take_line(struct words *words, struct span line)
{
	if (memchr(line.start, '\0', span_length(line)))
		words->wrong = "a NUL byte in the line; configuration is text";
	if (span_length(line) > LINE_LENGTH_MAX) {
		words->wrong = "a line of more than 1 MiB";
		line.end = line.start + WORD_LENGTH_MAX;
	}
	for (line = span_trim(line); !span_is_empty(line); line = span_trim(line)) {
		bool quoted = *line.start == '"' || *line.start == '\'';

		words_add(words, quoted ? take_quoted_word(words, &line) : span_take_word(&line));
	}
}

/* True for an indented line that is still an entry of its own. */
static bool begins_entry(struct span line)
{
	static const char *const types[] = { "stream", "dgram", "raw", "rdm", "seqpacket" };
	struct span type;

	span_take_word(&line);
	type = span_take_word(&line);
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (span_is(type, types[i]))
			return true;
	return false;
}

/* Converts the collected words, if there are any. */
static void words_finish(struct inetd *inetd, struct words *words,
			 void (*take)(struct inetd *, const struct words *))
{
	if (words->count > 0)
		take(inetd, words);
	words->count = 0;
	words->wrong = NULL;
}

static void walk_lines(struct inetd *inetd, const char *text, size_t length,
		       void (*take)(struct inetd *, const struct words *))
{
	struct words words = { 0 };
	struct lines lines;
	struct span line;

	inetd->addresses = (struct span){ text, text };
	lines_begin(&lines, text, length);
	while (lines_next(&lines, &line)) {
		bool continues = words.count > 0 && line.start > lines.start &&
				 !span_is_idle(line) && !begins_entry(line);

		if (!continues) {
			words_finish(inetd, &words, take);
			words.line = lines.number;
		}
		if (!span_is_idle(line))
			words_take_line(&words, line);
	}
	words_finish(inetd, &words, take);
	free(words.list);
}

int inetd_conf_parse(const char *file, const char *text, size_t length, struct entry_queue *entries,
		     struct problems *problems)
{
	struct inetd inetd = { .file = file, .entries = entries, .problems = problems };

	walk_lines(&inetd, text, length, note_ipv6);
	walk_lines(&inetd, text, length, take_line);
	free_ipv6_names(&inetd);
	return inetd.lost;
}

static int parse_trusted(const struct source_file *file, struct entry_queue *entries,
			 struct trust *trust, struct problems *problems)
{
	if (file->fault && trust_is_enforced()) {
		problem_add(problems, ERROR, NULL, 0, "%s: %s", file->name, file->fault);
		return -1;
	}
	if (file->fault)
		trust_advise(trust, NULL, 0, file->name, file->fault);
	if (file->is_foreign)
		problem_add(problems, WARNING, NULL, 0, "%s: %s", file->name, source_file_foreign);
	return inetd_conf_parse(file->name, file->text, file->length, entries, problems);
}

int inetd_conf_read(const char *path, struct entry_queue *entries, struct trust *trust,
		    struct problems *problems)
{
	struct source_file file;
	const char *wrong;
	int lost;

	if (source_file_read(&file, path, trust, &wrong) < 0) {
		problem_add(problems, WARNING, NULL, 0, "%s: %s", path, wrong);
		return -1;
	}
	lost = parse_trusted(&file, entries, trust, problems);
	source_file_clear(&file);
	return lost;
}
