#include "config/rule_files.h"

#include "base/hash.h"
#include "config/advice_addresses.h"
#include "config/bounds.h"
#include "config/networks.h"
#include "config/source_file.h"
#include "base/span.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WRONG_SIZE = TRUST_TEXT_SIZE + 64, RULE_WORD_SIZE = 2048 };

/* A file, usable or not. */
struct rule_file {
	UT_hash_handle hh;
	struct rule_set *set; /* NULL: it can't be used, as wrong says */
	char *wrong;
	char path[];
};

struct rule_files {
	struct trust *trust;
	struct problems *problems;
	bool advise;
	struct rule_file *by_path;
	size_t count, size, rules; /* read so far */
};

/* A file that is being read. */
struct rule_reading {
	struct rule_files *files;
	struct source_file source;
	struct access_list list;
	struct lines lines;
	size_t errors;
};

struct rule_files *rule_files_new(struct trust *trust, struct problems *problems, bool advise)
{
	struct rule_files *files = calloc(1, sizeof *files);

	if (files) {
		files->trust = trust;
		files->problems = problems;
		files->advise = advise;
	}
	return files;
}

static void rule_file_free(struct rule_file *file)
{
	if (file->set)
		rule_set_release(file->set);
	free(file->wrong);
	free(file);
}

void rule_files_free(struct rule_files *files)
{
	struct rule_file *each, *next;

	if (!files)
		return;
	HASH_ITER(hh, files->by_path, each, next) {
		HASH_DEL(files->by_path, each);
		rule_file_free(each);
	}
	free(files);
}

/* --- the lines of a file -------------------------------------------------------------- */

static void refuse_line(struct rule_reading *reading, const char *quoted, const char *what)
{
	if (reading->errors++ >= FILE_ERRORS_MAX)
		return;
	problem_add(reading->files->problems, ERROR, reading->source.name, reading->lines.number,
		    "%s%s%s%s", *quoted ? "\"" : "", quoted, *quoted ? "\" " : "", what);
}

static void take_word(struct rule_reading *reading, const char *word)
{
	enum access_word what;

	if (names_rule_file(word)) {
		refuse_line(reading, word,
			    "has no place in a file of rules, which can't name another");
		return;
	}
	what = access_list_add(&reading->list, word, reading->source.name, reading->lines.number,
			       network_named);
	if (what != WORD_ADDED)
		refuse_line(reading, word, access_word_text(what));
}

static void take_line(struct rule_reading *reading, struct span rest)
{
	struct span first = span_take_word(&rest);
	struct span second = span_take_word(&rest);
	char word[RULE_WORD_SIZE];

	if (span_length(first) >= sizeof word) {
		refuse_line(reading, "", "the word is too long");
		return;
	}
	memcpy(word, first.start, span_length(first));
	word[span_length(first)] = '\0';
	if (strlen(word) != span_length(first))
		refuse_line(reading, "", "there is a NUL byte in the word");
	else if (!span_is_idle(second))
		refuse_line(reading, word, "is not alone on its line; write one word on each");
	else
		take_word(reading, word);
}

/* False when there are too many rules. */
static bool take_lines(struct rule_reading *reading)
{
	const struct source_file *source = &reading->source;
	struct span line;

	lines_begin(&reading->lines, source->text, source->length);
	while (lines_next(&reading->lines, &line)) {
		if (!span_is_idle(line))
			take_line(reading, line);
		if (reading->list.count > FILE_RULES_MAX ||
		    reading->files->rules + reading->list.count > LOAD_FILE_RULES_MAX)
			return false;
	}
	return true;
}

/* --- one file ----------------------------------------------------------------------------- */

/* Differs after every change of the file: its time of change, or else its bytes, do. */
static uint64_t version_of(const struct source_file *source)
{
	uint64_t version = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < source->length; i++)
		version = (version ^ (unsigned char)source->text[i]) * 0x100000001b3;
	version = (version ^ source->inode) * 0x9e3779b97f4a7c15;
	version = (version ^ (uint64_t)source->changed.tv_sec) * 0x9e3779b97f4a7c15;
	return (version ^ (uint64_t)source->changed.tv_nsec) * 0x9e3779b97f4a7c15;
}

/* Why the file as a whole is not read; NULL: it is. */
static const char *unfitness(struct rule_files *files, const struct source_file *source)
{
	files->size += source->length;
	if (files->count++ >= RULE_FILES_MAX)
		return "is one of too many files of rules";
	if (files->size > LOAD_SIZE_MAX)
		return "makes the files of rules too large together";
	if (!source->fault)
		return NULL;
	if (trust_is_enforced())
		return source->fault;
	trust_advise(files->trust, NULL, 0, source->name, source->fault);
	return NULL;
}

static void write_wrong(char wrong[static WRONG_SIZE], const char *what)
{
	snprintf(wrong, WRONG_SIZE, "can't be used: %s", what);
}

/* The rules of a file that was read; NULL with the reason in wrong. */
static struct rule_set *take_rules(struct rule_reading *reading, char wrong[static WRONG_SIZE])
{
	struct rule_files *files = reading->files;
	struct rule_set *set;

	if (reading->source.is_foreign)
		problem_add(files->problems, WARNING, reading->source.name, 0, "%s",
			    source_file_foreign);
	if (!take_lines(reading)) {
		snprintf(wrong, WRONG_SIZE, "can't be used: it has too many rules (%s:%d)",
			 reading->source.name, reading->lines.number);
		return NULL;
	}
	if (reading->errors > 0) {
		snprintf(wrong, WRONG_SIZE, "can't be used: the file has %zu error%s",
			 reading->errors, reading->errors == 1 ? "" : "s");
		return NULL;
	}
	if (files->advise)
		advise_of_odd_words(&reading->list, files->problems);
	files->rules += reading->list.count;
	set = rule_set_from(&reading->list, version_of(&reading->source));
	if (!set)
		write_wrong(wrong, strerror(ENOMEM));
	return set;
}

static struct rule_set *read_file(struct rule_files *files, const char *path,
				  char wrong[static WRONG_SIZE])
{
	struct rule_reading reading = { .files = files };
	struct rule_set *set = NULL;
	const char *why = NULL;

	if (source_file_read(&reading.source, path, files->trust, &why) < 0) {
		write_wrong(wrong, why);
		return NULL;
	}
	why = unfitness(files, &reading.source);
	if (why)
		write_wrong(wrong, why);
	else
		set = take_rules(&reading, wrong);
	access_list_clear(&reading.list);
	source_file_clear(&reading.source);
	return set;
}

static struct rule_file *rule_file_new(struct rule_files *files, const char *path)
{
	size_t size = strlen(path) + 1;
	struct rule_file *file = calloc(1, sizeof *file + size);
	char wrong[WRONG_SIZE] = "";

	if (!file)
		return NULL;
	memcpy(file->path, path, size);
	file->set = read_file(files, path, wrong);
	if (!file->set)
		file->wrong = strdup(wrong);
	HASH_ADD_KEYPTR(hh, files->by_path, file->path, size - 1, file);
	if (file->hh.tbl)
		return file;
	rule_file_free(file);
	return NULL;
}

struct rule_set *rule_files_find(struct rule_files *files, const char *path, const char **wrong)
{
	struct rule_file *file = NULL;

	HASH_FIND_STR(files->by_path, path, file);
	if (!file)
		file = rule_file_new(files, path);
	*wrong = file && file->wrong ? file->wrong : "does not fit in memory";
	return file ? file->set : NULL;
}
