/* The readers of the attributes that say what a session sees of the machine. */
#include "config/reading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* True when a part of the path is "..". */
static bool climbs(const char *path)
{
	for (const char *part = path; part; part = strchr(part, '/')) {
		part += strspn(part, "/");
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return true;
	}
	return false;
}

/* False, refused, when the path is not absolute, or has a part "..". */
static bool is_plain_path(struct reading *reading, const struct word *word)
{
	const char *path = word->text;

	if (path[0] != '/')
		reading_refuse(reading, word, "\"%s\" is not an absolute path", path);
	else if (climbs(path))
		reading_refuse(reading, word, "\"%s\" has \"..\" in it; write the path without it",
			       path);
	return path[0] == '/' && !climbs(path);
}

/* The same for something below the root. */
static bool is_path_below(struct reading *reading, const struct word *word)
{
	if (!is_plain_path(reading, word))
		return false;
	if (word->text[strspn(word->text, "/")] != '\0')
		return true;
	reading_refuse(reading, word, "\"%s\" is the whole root; write directories in it",
		       word->text);
	return false;
}

/* True for the word that takes back what a preset has set. */
static bool is_word_alone(const struct reading *reading, const char *text)
{
	return reading->count == 1 && strcasecmp(first_word(reading), text) == 0;
}

/* Kept even when it is refused: server must not be looked for anywhere else. */
void read_root(struct reading *reading, void *field)
{
	const char *path = first_word(reading);
	struct stat status;

	if (is_word_alone(reading, "none"))
		return;
	read_text(reading, field);
	reading->service->program->lacks_root = true;
	if (!is_plain_path(reading, reading->words[0]))
		return;
	if (stat(path, &status) < 0)
		reading_refuse(reading, NULL, "%s: %s", path, strerror(errno));
	else if (!S_ISDIR(status.st_mode))
		reading_refuse(reading, NULL, "%s is not a directory", path);
	else
		reading->service->program->lacks_root = false;
}

void read_directory(struct reading *reading, void *field)
{
	if (is_plain_path(reading, reading->words[0]))
		read_text(reading, field);
}

void read_jail_paths(struct reading *reading, void *field)
{
	for (size_t i = 0; i < reading->count; i++)
		is_path_below(reading, reading->words[i]);
	strings_fill(reading, field);
}

/* A page, which is the least that a tmpfs takes. */
enum { SCRATCH_MIN = 4096 };

/* The size as a number of bytes, in the arena; NULL, refused, when it is none. */
static char *scratch_size(struct reading *reading, const struct word *word)
{
	char text[24];
	uint64_t size;

	if (!parse_size(word->text, &size) || size < SCRATCH_MIN || size > INT64_MAX) {
		reading_refuse(reading, word,
			       "\"%s\" is not a number of bytes (K, M or G may follow) from 4K",
			       word->text);
		return NULL;
	}
	snprintf(text, sizeof text, "%" PRIu64, size);
	return arena_string(reading->arena, text);
}

void read_scratch(struct reading *reading, void *field)
{
	struct strings *scratch = field;

	if (is_word_alone(reading, "none"))
		return;
	strings_fill(reading, scratch);
	if (!scratch->list)
		return;
	for (size_t i = 0; i + 1 < scratch->count; i += 2) {
		char *size = scratch_size(reading, reading->words[i + 1]);

		is_path_below(reading, reading->words[i]);
		if (size)
			scratch->list[i + 1] = size;
	}
	if (scratch->count % 2)
		reading_refuse(reading, reading->words[scratch->count - 1],
			       "%s has no size after it; write a path and a size, such as /tmp 16M",
			       reading->words[scratch->count - 1]->text);
	if (reading->refused)
		scratch->count = 0; /* so that later checks don't look for a wrong path */
}

static bool is_device(const char *name)
{
	struct stat status;
	char path[64];

	return snprintf(path, sizeof path, "/dev/%s", name) < (int)sizeof path &&
	       stat(path, &status) == 0 && S_ISCHR(status.st_mode);
}

void read_devices(struct reading *reading, void *field)
{
	if (is_word_alone(reading, "host"))
		return;
	for (size_t i = 0; i < reading->count; i++) {
		const struct word *word = reading->words[i];

		if (word->text[0] == '\0' || word->text[0] == '.' || strchr(word->text, '/'))
			reading_refuse(reading, word,
				       "\"%s\" is not the name of a device, such as null",
				       word->text);
		else if (!is_device(word->text))
			reading_refuse(reading, word, "there is no character device /dev/%s",
				       word->text);
	}
	strings_fill(reading, field);
}

void read_network(struct reading *reading, void *field)
{
	static const struct name_value networks[] = {
		{ "host", NETWORK_HOST },
		{ "none", NETWORK_NONE },
		{ 0 },
	};
	int network;

	if (read_name(reading, reading->words[0], networks, &network))
		*(enum network *)field = (enum network)network;
}
