#include "config/port_map.h"

#include "base/hash.h"

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

struct entry {
	UT_hash_handle by_name; /* key: "name/protocol" in small letters */
	UT_hash_handle by_port; /* key: "port/protocol", while this is the port's first name */
	uint16_t port;
	char *port_key;
	char *name; /* as it was written */
	char name_key[];
};

struct port_map {
	struct entry *names;
	struct entry *ports;
	char *lost; /* NULL: none */
};

struct word {
	const char *start;
	size_t length;
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
	struct entry *entry, *next;

	if (!map)
		return;
	HASH_CLEAR(by_port, map->ports);
	HASH_ITER(by_name, map->names, entry, next) {
		HASH_DELETE(by_name, map->names, entry);
		free(entry);
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
static size_t key_write(char key[static KEY_SIZE], struct word word, struct word protocol)
{
	char *end = key;

	if (word.length > NAME_LENGTH_MAX || protocol.length > PROTOCOL_LENGTH_MAX)
		return 0;
	end = mempcpy(end, word.start, word.length);
	*end++ = '/';
	end = mempcpy(end, protocol.start, protocol.length);
	*end = '\0';
	for (char *c = key; c < end; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return (size_t)(end - key);
}

static struct word word_of(const char *text)
{
	return (struct word){ .start = text, .length = strlen(text) };
}

static struct entry *find_by_name(const struct port_map *map, struct word name,
				  struct word protocol)
{
	struct entry *entry = NULL;
	char key[KEY_SIZE];
	size_t length = key_write(key, name, protocol);

	if (length > 0)
		HASH_FIND(by_name, map->names, key, length, entry);
	return entry;
}

static size_t port_key_write(char key[static KEY_SIZE], uint16_t port, struct word protocol)
{
	char digits[sizeof "65535"];

	snprintf(digits, sizeof digits, "%u", (unsigned)port);
	return key_write(key, word_of(digits), protocol);
}

static struct entry *find_by_port(const struct port_map *map, uint16_t port, struct word protocol)
{
	struct entry *entry = NULL;
	char key[KEY_SIZE];
	size_t length = port_key_write(key, port, protocol);

	if (length > 0)
		HASH_FIND(by_port, map->ports, key, length, entry);
	return entry;
}

int port_map_find(const struct port_map *map, const char *name, const char *protocol)
{
	const struct entry *entry = find_by_name(map, word_of(name), word_of(protocol));

	return entry ? entry->port : -1;
}

const char *port_map_name(const struct port_map *map, uint16_t port, const char *protocol)
{
	const struct entry *entry = find_by_port(map, port, word_of(protocol));

	return entry ? entry->name : NULL;
}

unsigned port_map_size(const struct port_map *map)
{
	return HASH_CNT(by_name, map->names);
}

static struct entry *entry_new(struct word name, uint16_t port, struct word protocol)
{
	char name_key[KEY_SIZE], port_key[KEY_SIZE];
	size_t name_size = key_write(name_key, name, protocol) + 1;
	size_t port_size = port_key_write(port_key, port, protocol) + 1;
	struct entry *entry = calloc(1, sizeof *entry + name_size + port_size + name.length + 1);

	if (!entry)
		return NULL;
	entry->port = port;
	entry->port_key = mempcpy(entry->name_key, name_key, name_size);
	entry->name = mempcpy(entry->port_key, port_key, port_size);
	memcpy(entry->name, name.start, name.length);
	return entry;
}

/* The entry of name, created if necessary; NULL when memory runs out. */
static struct entry *entry_obtain(struct port_map *map, struct word name, uint16_t port,
				  struct word protocol)
{
	struct entry *entry = find_by_name(map, name, protocol);

	if (entry)
		return entry;
	entry = entry_new(name, port, protocol);
	if (!entry)
		return NULL;
	HASH_ADD_KEYPTR(by_name, map->names, entry->name_key, strlen(entry->name_key), entry);
	if (!entry->by_name.tbl) {
		free(entry);
		errno = ENOMEM;
		return NULL;
	}
	return entry;
}

/* Makes entry the name of its port unless the port has one. */
static int entry_names_port(struct port_map *map, struct entry *entry, struct word protocol)
{
	if (find_by_port(map, entry->port, protocol))
		return 0;
	HASH_ADD_KEYPTR(by_port, map->ports, entry->port_key, strlen(entry->port_key), entry);
	if (!entry->by_port.tbl) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

static int map_name(const struct source *source, struct word name, uint16_t port,
		    struct word protocol, bool is_alias)
{
	struct entry *entry = entry_obtain(source->map, name, port, protocol);

	if (!entry)
		return -1;
	if (entry->port != port) {
		problem_add(source->problems, ADVICE, source->file, source->line,
			    "%s is mapped to port %u already and keeps it; "
			    "delete one of the two lines", entry->name_key, (unsigned)entry->port);
		return 0;
	}
	return is_alias ? 0 : entry_names_port(source->map, entry, protocol);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes the next word off line; length 0: none. */
static struct word next_word(struct word *line)
{
	struct word word = { .start = line->start };
	const char *end = line->start + line->length;

	while (word.start < end && is_blank(*word.start))
		word.start++;
	while (word.start + word.length < end && !is_blank(word.start[word.length]))
		word.length++;
	line->start = word.start + word.length;
	line->length = (size_t)(end - line->start);
	return word;
}

/* A number from 1 to 65535, or 0 when word is none. */
static uint16_t port_parse(struct word word)
{
	unsigned long port = 0;

	if (word.length < 1 || word.length > 5)
		return 0;
	for (size_t i = 0; i < word.length; i++) {
		if (word.start[i] < '0' || word.start[i] > '9')
			return 0;
		port = port * 10 + (unsigned long)(word.start[i] - '0');
	}
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static bool is_name(struct word word)
{
	if (word.length < 1 || word.length > NAME_LENGTH_MAX)
		return false;
	for (size_t i = 0; i < word.length; i++)
		if ((unsigned char)word.start[i] <= ' ' || word.start[i] == 0x7f)
			return false;
	return true;
}

/* Splits PORT/PROTOCOL; returns the port, or 0 when word is no such pair. */
static uint16_t port_and_protocol(struct word word, struct word *protocol)
{
	const char *slash = memchr(word.start, '/', word.length);

	if (!slash)
		return 0;
	*protocol = (struct word){
		.start = slash + 1,
		.length = (size_t)(word.start + word.length - slash - 1),
	};
	if (!is_name(*protocol) || protocol->length > PROTOCOL_LENGTH_MAX)
		return 0;
	return port_parse((struct word){ word.start, (size_t)(slash - word.start) });
}

static void complain(const struct source *source, const char *what, struct word word)
{
	int shown = word.length < 40 ? (int)word.length : 40;

	problem_add(source->problems, WARNING, source->file, source->line,
		    "%s \"%.*s\"; a line is NAME PORT/PROTOCOL ALIAS ..., this one is skipped",
		    what, shown, word.start);
}

static int map_aliases(const struct source *source, struct word *line, uint16_t port,
		       struct word protocol)
{
	struct word alias;

	while ((alias = next_word(line)).length > 0) {
		if (!is_name(alias)) {
			problem_add(source->problems, WARNING, source->file, source->line,
				    "an alias is too long or holds control characters "
				    "and is left out");
			continue;
		}
		if (map_name(source, alias, port, protocol, true) < 0)
			return -1;
	}
	return 0;
}

static int line_read(const struct source *source, struct word line)
{
	struct word name = next_word(&line), pair, protocol;
	uint16_t port;

	if (name.length == 0)
		return 0;
	if (!is_name(name)) {
		complain(source, "this is no name:", name);
		return 0;
	}
	pair = next_word(&line);
	port = port_and_protocol(pair, &protocol);
	if (port == 0) {
		complain(source, "no port from 1 to 65535 and protocol in", pair);
		return 0;
	}
	if (map_name(source, name, port, protocol, false) < 0)
		return -1;
	return map_aliases(source, &line, port, protocol);
}

static int text_read(struct source *source, struct word text)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	const char *end = text.start + text.length;
	const char *start = text.start;

	if (text.length >= 3 && memcmp(start, byte_order_mark, 3) == 0)
		start += 3;
	for (source->line = 1; start < end; source->line++) {
		const char *newline = memchr(start, '\n', (size_t)(end - start));
		const char *line_end = newline ? newline : end;
		const char *comment = memchr(start, '#', (size_t)(line_end - start));
		struct word line = { start, (size_t)((comment ? comment : line_end) - start) };

		if (line_read(source, line) < 0)
			return -1;
		start = line_end + 1;
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
		result = text_read(source, (struct word){ buffer, (size_t)length });
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
