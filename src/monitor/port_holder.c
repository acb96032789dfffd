#include "monitor/port_holder.h"

#include "base/clock.h"
#include "base/log.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STATE_LISTEN = 10, COMM_SIZE = 16 };

/* A socket of a table. */
struct entry {
	struct address local;
	unsigned state, uid;
	uint64_t inode;
};

/* --- the tables of sockets --------------------------------------------------------------- */

/* Each group of eight digits is a word of the address, in the byte order of the machine. */
static bool parse_host(const char *digits, struct address *address, unsigned port)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	uint32_t words[4];
	int count = sscanf(digits, "%8" SCNx32 "%8" SCNx32 "%8" SCNx32 "%8" SCNx32, &words[0],
			   &words[1], &words[2], &words[3]);

	if (count == 1) {
		in4.sin_addr.s_addr = words[0];
		*address = address_from_sockaddr((const struct sockaddr *)&in4, sizeof in4);
	} else if (count == 4) {
		memcpy(&in6.sin6_addr, words, sizeof words);
		*address = address_from_sockaddr((const struct sockaddr *)&in6, sizeof in6);
	}
	return count == 1 || count == 4;
}

/* "  0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  33  0 12345 ..." */
static bool parse_entry(const char *line, struct entry *entry)
{
	char digits[33];
	unsigned port;

	return sscanf(line, " %*d: %32[0-9A-F]:%x %*[0-9A-F:] %x %*s %*s %*s %u %*d %" SCNu64,
		      digits, &port, &entry->state, &entry->uid, &entry->inode) == 5 &&
	       parse_host(digits, &entry->local, port);
}

static bool is_any(const struct address *address)
{
	return address->any.sa_family == AF_INET6
		       ? IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr)
		       : address->in4.sin_addr.s_addr == htonl(INADDR_ANY);
}

static bool is_in_the_way(const struct entry *entry, const struct address *wanted)
{
	return address_port(&entry->local) == address_port(wanted) &&
	       (is_any(&entry->local) || is_any(wanted) ||
		address_same_host(&entry->local, wanted));
}

/* TCP's tables begin with the sockets that listen. */
static bool find_in_table(const char *path, bool listens, const struct address *wanted,
			  struct entry *entry)
{
	FILE *table = fopen(path, "re");
	bool found = false;
	char line[512];
	int count = 0;

	if (!table)
		return false;
	while (!found && count++ < HOLDER_SOCKETS_MAX && fgets(line, sizeof line, table)) {
		if (!parse_entry(line, entry))
			continue; /* the title */
		if (listens && entry->state != STATE_LISTEN)
			break;
		found = is_in_the_way(entry, wanted);
	}
	fclose(table);
	return found;
}

static bool find_socket(int type, const struct address *wanted, struct entry *entry)
{
	static const char *const tables[2][2] = {
		{ "/proc/net/tcp", "/proc/net/tcp6" },
		{ "/proc/net/udp", "/proc/net/udp6" },
	};
	bool is_6 = wanted->any.sa_family == AF_INET6;

	if (type != SOCK_STREAM && type != SOCK_DGRAM)
		return false;
	return find_in_table(tables[type == SOCK_DGRAM][is_6], type == SOCK_STREAM, wanted,
			     entry) ||
	       find_in_table(tables[type == SOCK_DGRAM][!is_6], type == SOCK_STREAM, wanted, entry);
}

/* --- the descriptors of processes --------------------------------------------------------- */

/* Of this window: when it began, and how much processor time is left, in milliseconds. */
static struct {
	uint64_t began, left;
	uint64_t stop; /* of the search that is under way: it may go on until then */
} searches = { .left = HOLDER_SEARCH_MS };

/* Milliseconds of processor time: a busy machine must not hide who has a port. */
static uint64_t time_used(void)
{
	struct timespec time;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

static bool has_time(void)
{
	return time_used() < searches.stop;
}

static bool process_has(const char *pid, uint64_t inode)
{
	char path[64], wanted[64], target[64];
	struct dirent *entry;
	bool found = false;
	DIR *descriptors;

	snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
	snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
	descriptors = opendir(path);
	while (descriptors && !found && has_time() && (entry = readdir(descriptors))) {
		ssize_t length =
			readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1);

		target[length > 0 ? length : 0] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	if (descriptors)
		closedir(descriptors);
	return found;
}

/* The first one, in the order of their numbers: it has started the others, as a rule. 0: none. */
static pid_t find_process(uint64_t inode)
{
	static char last[16]; /* often it has the next port, too */
	DIR *processes;
	struct dirent *entry;
	bool found = *last && process_has(last, inode);

	processes = found ? NULL : opendir("/proc");
	while (processes && !found && has_time() && (entry = readdir(processes))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		found = process_has(entry->d_name, inode);
		if (found)
			snprintf(last, sizeof last, "%.15s", entry->d_name);
	}
	if (processes)
		closedir(processes);
	return found ? (pid_t)atoi(last) : 0;
}

static void write_process(pid_t pid, char text[static HOLDER_TEXT_SIZE])
{
	char path[32], comm[COMM_SIZE + 1], escaped[4 * COMM_SIZE + 1];
	ssize_t length = -1;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		length = read(fd, comm, sizeof comm);
		close(fd);
	}
	if (length > 0 && comm[length - 1] == '\n')
		length--;
	log_escape(escaped, sizeof escaped, comm, length > 0 ? (size_t)length : 0);
	snprintf(text, HOLDER_TEXT_SIZE, "%s%s(pid %d)", escaped, *escaped ? " " : "", (int)pid);
}

static void write_holder(const struct entry *entry, char text[static HOLDER_TEXT_SIZE])
{
	pid_t pid = find_process(entry->inode);

	if (pid > 0)
		write_process(pid, text);
	else
		snprintf(text, HOLDER_TEXT_SIZE, "a process of user %u", entry->uid);
}

static void begin_search(uint64_t now)
{
	if (clock_read() - searches.began >= HOLDER_WINDOW_MS) {
		searches.began = clock_read();
		searches.left = HOLDER_SEARCH_MS;
	}
	searches.stop = now + searches.left;
}

static void end_search(uint64_t now)
{
	searches.left = searches.stop > now ? searches.stop - now : 0;
}

const char *port_holder_find(int type, const struct address *address,
			     char text[static HOLDER_TEXT_SIZE])
{
	struct entry entry;

	*text = '\0';
	begin_search(time_used());
	if (has_time() && find_socket(type, address, &entry))
		write_holder(&entry, text);
	end_search(time_used());
	return text;
}
