#include "support/place.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct kept {
	struct kept *next;
	void *memory;
};

static struct kept *kept;
static char directory[256];

void *keep(void *memory)
{
	struct kept *entry = malloc(sizeof *entry);

	ck_assert_msg(memory && entry, "out of memory");
	*entry = (struct kept){ .next = kept, .memory = memory };
	kept = entry;
	return memory;
}

static void forget_kept(void)
{
	while (kept) {
		struct kept *entry = kept;

		kept = entry->next;
		free(entry->memory);
		free(entry);
	}
}

char *textv(const char *format, va_list values)
{
	char *text;

	ck_assert_int_ge(vasprintf(&text, format, values), 0);
	return keep(text);
}

char *textf(const char *format, ...)
{
	va_list values;
	char *text;

	va_start(values, format);
	text = textv(format, values);
	va_end(values);
	return text;
}

void place_make(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(directory, sizeof directory, "%s/usherd-integration-XXXXXX",
		 parent ? parent : "/tmp");
	ck_assert_msg(mkdtemp(directory) != NULL, "%s: %s", directory, strerror(errno));
	ck_assert_int_eq(chmod(directory, 0755), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status, (void)kind, (void)where;
	return remove(path);
}

/* In a file, as the process that removes may not be the one that claimed. */
static const char *claims_path(void)
{
	return place_path(".claimed");
}

void place_claim(const char *path)
{
	FILE *claims = fopen(claims_path(), "ae");

	ck_assert_ptr_nonnull(claims);
	fprintf(claims, "%s\n", path);
	ck_assert_int_eq(fclose(claims), 0);
}

static void remove_claimed(void)
{
	FILE *claims = fopen(claims_path(), "re");
	char path[4096];

	if (!claims)
		return;
	while (fgets(path, sizeof path, claims)) {
		path[strcspn(path, "\n")] = '\0';
		remove(path);
	}
	fclose(claims);
}

void place_remove(void)
{
	remove_claimed();
	nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	forget_kept();
}

const char *place_path(const char *name)
{
	return textf("%s/%s", directory, name);
}

static void write_with_mode(const char *path, const void *bytes, size_t length, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	ck_assert_int_eq(close(fd), 0);
}

void place_write_bytes(const char *name, const void *bytes, size_t length)
{
	write_with_mode(place_path(name), bytes, length, 0644);
}

void place_write(const char *name, const char *format, ...)
{
	va_list values;
	char *text;

	va_start(values, format);
	text = textv(format, values);
	va_end(values);
	place_write_bytes(name, text, strlen(text));
}

const char *place_script(const char *name, const char *format, ...)
{
	const char *path = place_path(name);
	va_list values;
	char *text;

	va_start(values, format);
	text = textf("#!/bin/sh\n%s\n", textv(format, values));
	va_end(values);
	write_with_mode(path, text, strlen(text), 0755);
	return path;
}

static char *read_stream(FILE *stream, size_t *length)
{
	char *bytes = NULL, part[8192];
	size_t got, size;
	FILE *copy = open_memstream(&bytes, &size);

	ck_assert_ptr_nonnull(copy);
	while ((got = fread(part, 1, sizeof part, stream)) > 0)
		ck_assert_uint_eq(fwrite(part, 1, got, copy), got);
	fclose(copy);
	*length = size;
	return keep(bytes);
}

const char *file_read(const char *path)
{
	FILE *stream = fopen(path, "re");
	const char *text;
	size_t length;

	if (!stream)
		return "";
	text = read_stream(stream, &length);
	fclose(stream);
	return text;
}

const char *place_read(const char *name)
{
	return file_read(place_path(name));
}

static const char *copy_program(const char *name, const char *original)
{
	const char *path = place_path(name);
	FILE *stream = fopen(original, "re");
	const char *bytes;
	size_t length;

	ck_assert_msg(stream != NULL, "%s: %s", original, strerror(errno));
	bytes = read_stream(stream, &length);
	fclose(stream);
	write_with_mode(path, bytes, length, 0755);
	return path;
}

const char *place_program(const char *name)
{
	const char *programs = getenv("TEST_PROGRAMS");

	ck_assert_msg(programs != NULL, "TEST_PROGRAMS must name the directory of the programs");
	return copy_program(name, textf("%s/%s", programs, name));
}

const char *place_status_page(const char *name)
{
	const char *original = getenv("STATUS_PAGE");

	ck_assert_msg(original != NULL, "STATUS_PAGE must name the program to test");
	return copy_program(name, original);
}

unsigned text_count(const char *text, const char *pattern)
{
	unsigned count = 0;
	int flags = 0;
	regmatch_t match;
	regex_t regex;

	ck_assert_msg(regcomp(&regex, pattern, REG_EXTENDED | REG_NEWLINE) == 0, "bad pattern: %s",
		      pattern);
	while (regexec(&regex, text, 1, &match, flags) == 0) {
		count++;
		flags = match.rm_eo > 0 && text[match.rm_eo - 1] == '\n' ? 0 : REG_NOTBOL;
		text += match.rm_eo;
		if (match.rm_eo == match.rm_so && !*text++)
			break;
	}
	regfree(&regex);
	return count;
}

bool text_matches(const char *text, const char *pattern)
{
	return text_count(text, pattern) > 0;
}
