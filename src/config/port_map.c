#include "config/port_map.h"

#include "base/hash.h"
#include "base/lower_case.h"
#include "base/span.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	FILE_SIZE_MAX = 16 << 20,
	NAME_LENGTH_MAX = 255,
	PROTOCOL_LENGTH_MAX = 31,
	KEY_SIZE = NAME_LENGTH_MAX + 1 + PROTOCOL_LENGTH_MAX + 1,
};

struct mapping {
	UT_hash_handle hh;
	uint16_t port;
	char key[]; /* "name/protocol" in small letters */
};

struct port_map {
	struct mapping *names;
	char *lost; /* NULL: none */
};

/* The position of the parser, for messages. */
struct source {
	struct port_map *map;
	struct problems *problems;
	const char *file;
	int line;
};

struct port_map *port_map_new(void)
{
	return calloc(1, sizeof(struct port_map));
}

void port_map_free(struct port_map *map)
{
	struct mapping *mapping, *next;

	if (!map)
		return;
	HASH_ITER(hh, map->names, mapping, next) {
		HASH_DEL(map->names, mapping);
		free(mapping);
	}
	free(map->lost);
	free(map);
}

void port_map_lose(struct port_map *map, const char *file)
{
	free(map->lost);
	map->lost = strdup(file);
}

const char *port_map_lost(const struct port_map *map)
{
	return map->lost;
}

/* Writes "WORD/PROTOCOL" in small letters and returns its length, or 0 when one of them is
 * longer than a map allows. */
static size_t key_write(char key[static KEY_SIZE], struct span word, struct span protocol)
{
	char *end = key;

	if (span_length(word) > NAME_LENGTH_MAX || span_length(protocol) > PROTOCOL_LENGTH_MAX)
		return 0;
	end = mempcpy(end, word.start, span_length(word));
	*end++ = '/';
	end = mempcpy(end, protocol.start, span_length(protocol));
	*end = '\0';
	lower_case(key);
	return (size_t)(end - key);
}

static struct span span_of(const char *text)
{
	return (struct span){ text, text + strlen(text) };
}

static struct mapping *find(const struct port_map *map, struct span name, struct span protocol)
{
	struct mapping *mapping = NULL;
	char key[KEY_SIZE];
	size_t length = key_write(key, name, protocol);

	if (length > 0)
		HASH_FIND(hh, map->names, key, length, mapping);
	return mapping;
}

int port_map_find(const struct port_map *map, const char *name, const char *protocol)
{
	const struct mapping *mapping = find(map, span_of(name), span_of(protocol));

	return mapping ? mapping->port : -1;
}

unsigned port_map_size(const struct port_map *map)
{
	return HASH_COUNT(map->names);
}

static struct mapping *mapping_new(struct span name, uint16_t port, struct span protocol)
{
	char key[KEY_SIZE];
	size_t size = key_write(key, name, protocol) + 1;
	struct mapping *mapping = calloc(1, sizeof *mapping + size);

	if (!mapping)
		return NULL;
	mapping->port = port;
	memcpy(mapping->key, key, size);
	return mapping;
}

/* The mapping of name, created if necessary; NULL when memory runs out. */
static struct mapping *obtain(struct port_map *map, struct span name, uint16_t port,
			      struct span protocol)
{
	struct mapping *mapping = find(map, name, protocol);

	if (mapping)
		return mapping;
	mapping = mapping_new(name, port, protocol);
	if (!mapping)
		return NULL;
	HASH_ADD_KEYPTR(hh, map->names, mapping->key, strlen(mapping->key), mapping);
	if (mapping->hh.tbl)
		return mapping;
	free(mapping);
	errno = ENOMEM;
	return NULL;
}

static int map_name(const struct source *source, struct span name, uint16_t port,
		    struct span protocol)
{
	const struct mapping *mapping = obtain(source->map, name, port, protocol);

	if (!mapping)
		return -1;
	if (mapping->port != port)
		problem_add(source->problems, ADVICE, source->file, source->line,
			    "%s is mapped to port %u already and keeps it; "
			    "delete one of the two lines",
			    mapping->key, (unsigned)mapping->port);
	return 0;
}

/* A number from 1 to 65535, or 0 when word is none. */
static uint16_t port_parse(struct span word)
{
	uint64_t port;

	return span_length(word) <= 5 && span_number(word, UINT16_MAX, &port) ? (uint16_t)port : 0;
}

static bool is_name(struct span word)
{
	if (span_is_empty(word) || span_length(word) > NAME_LENGTH_MAX)
		return false;
	for (const char *c = word.start; c < word.end; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return true;
}

/* Splits PORT/PROTOCOL; returns the port, or 0 when word is no such pair. */
static uint16_t port_and_protocol(struct span word, struct span *protocol)
{
	*protocol = word;
	word = span_take_until(protocol, "/");
	if (!is_name(*protocol) || span_length(*protocol) > PROTOCOL_LENGTH_MAX)
		return 0;
	return port_parse(word);
}

static void complain(const struct source *source, const char *what, struct span word)
{
	problem_add(source->problems, WARNING, source->file, source->line,
		    "%s \"%.*s\"; a line is NAME PORT/PROTOCOL ALIAS ..., this one is skipped",
		    what, SHOWN(word));
}

static int map_aliases(const struct source *source, struct span *line, uint16_t port,
		       struct span protocol)
{
	struct span alias;

	while (!span_is_empty(alias = span_take_word(line))) {
		if (!is_name(alias)) {
			problem_add(source->problems, WARNING, source->file, source->line,
				    "an alias is too long or holds control characters "
				    "and is left out");
			continue;
		}
		if (map_name(source, alias, port, protocol) < 0)
			return -1;
	}
	return 0;
}

static int line_read(const struct source *source, struct span line)
{
	struct span name = span_take_word(&line), pair, protocol;
	uint16_t port;

	if (span_is_empty(name))
		return 0;
	if (!is_name(name)) {
		complain(source, "this is no name:", name);
		return 0;
	}
	pair = span_take_word(&line);
	port = port_and_protocol(pair, &protocol);
	if (port == 0) {
		complain(source, "no port from 1 to 65535 and protocol in", pair);
		return 0;
	}
	if (map_name(source, name, port, protocol) < 0)
		return -1;
	return map_aliases(source, &line, port, protocol);
}

static int text_read(struct source *source, const char *text, size_t length)
{
	struct lines lines;
	struct span line;

	lines_begin(&lines, text, length);
	while (lines_next(&lines, &line)) {
		source->line = lines.number;
		if (line_read(source, span_take_until(&line, "#")) < 0)
			return -1;
	}
	return 0;
}

/* Reads until the end of the file or of the buffer; -1 with errno. */
static ssize_t read_whole(int fd, char *buffer, size_t size)
{
	size_t filled = 0;

	while (filled < size) {
		ssize_t got = read(fd, buffer + filled, size - filled);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		filled += (size_t)got;
	}
	return (ssize_t)filled;
}

/* The size of a file that a map may be read from, or -1 with errno. */
static off_t map_file_size(int fd)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return -1;
	if (!S_ISREG(status.st_mode))
		errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
	else if (status.st_size > FILE_SIZE_MAX)
		errno = EFBIG;
	else
		return status.st_size;
	return -1;
}

static int descriptor_read(struct source *source, int fd)
{
	off_t size = map_file_size(fd);
	ssize_t length;
	char *buffer;
	int result = -1;

	if (size < 0)
		return -1;
	buffer = malloc((size_t)size + 1);
	if (!buffer)
		return -1;
	length = read_whole(fd, buffer, (size_t)size);
	if (length >= 0)
		result = text_read(source, buffer, (size_t)length);
	free(buffer);
	return result;
}

int port_map_read(struct port_map *map, const char *file, struct problems *problems)
{
	struct source source = { .map = map, .problems = problems, .file = file };
	/* The file may be a pipe or a terminal, which must not block. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int result, saved_errno;

	if (fd < 0)
		return -1;
	result = descriptor_read(&source, fd);
	saved_errno = errno;
	close(fd);
	errno = saved_errno;
	return result;
}
