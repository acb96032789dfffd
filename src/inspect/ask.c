#include "inspect/inspect.h"

#include "base/clock.h"
#include "config/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	ANSWER_MS = 7000,   /* longer than the daemon waits for those who ask before */
	RELOAD_MS = 130000, /* a reload may take long */
	CONNECT_S = 5,      /* a frontend that does not accept has a full queue */
	PIECE = 65536,
};

/* --- where the daemon is -------------------------------------------------------------------- */

static void complain(const char *path, const char *what)
{
	fprintf(stderr, "usherd: control socket %s: %s\n", path, what);
}

/* connect(2) takes only short paths, so it is told of the directory. */
static int connect_to(const char *path)
{
	const struct timeval limit = { .tv_sec = CONNECT_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), file = -1, error;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); /* holds for connect(2) */
	if (strlen(path) < sizeof address.sun_path) {
		strcpy(address.sun_path, path);
	} else {
		file = open(path, O_PATH | O_CLOEXEC);
		snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", file);
	}
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
		if (file >= 0)
			close(file);
		return fd;
	}
	error = errno;
	if (file >= 0)
		close(file);
	close(fd);
	errno = error;
	return -1;
}

/* The value of a line "control_socket = PATH"; false: it is another line. */
static bool read_line(char *line, const char *config, char path[static PATH_MAX])
{
	static const char blanks[] = " \t\n";
	const char *slash = strrchr(config, '/');
	char *name = strtok(line, blanks), *sign = strtok(NULL, blanks);
	const char *value = strtok(NULL, blanks);
	int length;

	if (!value || strcmp(name, "control_socket") != 0 || strcmp(sign, "=") != 0)
		return false;
	length = value[0] == '/' || !slash ? snprintf(path, PATH_MAX, "%s", value)
					   : snprintf(path, PATH_MAX, "%.*s/%s",
						      (int)(slash - config), config, value);
	return length < PATH_MAX;
}

/* A file that can't be loaded may well be the reason for asking. */
static bool find_line(const char *config, char path[static PATH_MAX])
{
	FILE *file = fopen(config, "re");
	char line[PATH_MAX + 64];
	bool found = false;

	while (file && !found && fgets(line, sizeof line, file))
		found = read_line(line, config, path);
	if (file)
		fclose(file);
	return found;
}

/* The socket that the configuration names, in path; false: none. Who may ask the daemon may not
 * be able to read its configuration. */
static bool find_configured(const struct load_options *options, char path[static PATH_MAX])
{
	struct load_options quiet = *options;
	struct problems problems = { 0 };
	struct settings *settings;
	bool found;

	quiet.advise = false;
	settings = settings_load(&quiet, &problems);
	found = settings && settings->daemon.control_socket &&
		strlen(settings->daemon.control_socket) < PATH_MAX;
	if (found)
		strcpy(path, settings->daemon.control_socket);
	if (!settings)
		found = find_line(options->config, path);
	problems_clear(&problems);
	settings_free(settings);
	return found;
}

static const char *reason(int error)
{
	if (error == ENOENT || error == ECONNREFUSED)
		return "no daemon answers there";
	return error == EAGAIN ? "the daemon is there, but lets nobody in; it hangs, or others ask"
			       : strerror(error);
}

/* Who has no daemon of their own may mean root's. Reports why there is none. */
static int find_daemon(const struct load_options *options)
{
	char configured[PATH_MAX], own[PATH_MAX];
	const char *path =
		find_configured(options, configured) ? configured : control_socket_default(own);
	int fd = path ? connect_to(path) : -1, error = errno;

	if (fd < 0 && path != configured)
		fd = connect_to(CONTROL_PATH);
	if (fd < 0 && !path) {
		path = CONTROL_PATH;
		error = errno;
	}
	if (fd < 0)
		complain(path, reason(error));
	return fd;
}

/* --- the question and the answer ------------------------------------------------------------ */

/* The words in a line. False, reported, when they are too long for a request. */
static bool send_request(int fd, const char *const words[])
{
	char line[CONTROL_REQUEST_MAX + 1];
	size_t length = 0;

	for (size_t i = 0; words[i]; i++) {
		length += (size_t)snprintf(line + length, sizeof line - length, "%s%s",
					   i ? " " : "", words[i]);
		if (length >= CONTROL_REQUEST_MAX || strpbrk(words[i], " \n")) {
			fprintf(stderr, "usherd: %s: no daemon knows such a word\n", words[i]);
			return false;
		}
	}
	line[length++] = '\n';
	/* EPIPE: it has answered already, that it is not to be asked. */
	if (send(fd, line, length, MSG_NOSIGNAL) == (ssize_t)length || errno == EPIPE)
		return true;
	perror("usherd: the daemon can't be asked");
	return false;
}

/* False: nothing comes. */
static bool wait_for_more(int fd, uint64_t due)
{
	struct pollfd there = { .fd = fd, .events = POLLIN };
	uint64_t now = clock_read();

	return now < due && poll(&there, 1, (int)(due - now)) > 0;
}

/* All that comes until the end, or until that time; NULL: nothing, or no memory. */
static char *receive(int fd, size_t *length, uint64_t due)
{
	size_t size = 0;
	char *bytes = NULL;

	*length = 0;
	for (;;) {
		ssize_t got;

		if (size < *length + PIECE) {
			char *more = realloc(bytes, size = 2 * size + PIECE + 1);

			if (!more)
				break;
			bytes = more;
		}
		if (!wait_for_more(fd, due))
			break;
		got = recv(fd, bytes + *length, PIECE, 0);
		if (got <= 0)
			break;
		*length += (size_t)got;
	}
	if (bytes)
		bytes[*length] = '\0';
	return bytes;
}

/* The text of the answer, with its status; NULL: it is none, or not complete. */
static const char *read_answer(const char *bytes, size_t length, int *status)
{
	const char *end = bytes ? strchr(bytes, '\n') : NULL;
	size_t announced;

	if (!end || sscanf(bytes, "usherd %d %zu\n", status, &announced) != 2)
		return NULL;
	return length - (size_t)(end + 1 - bytes) == announced ? end + 1 : NULL;
}

/* The daemon's part that writes it meets strangers. The terminal must not obey them. */
static void print_plain(const char *text)
{
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text, next = (unsigned char)text[1];
		bool is_control = (byte < ' ' && byte != '\n' && byte != '\t') || byte == 0x7f ||
				  (byte == 0xc2 && next >= 0x80 && next < 0xa0); /* U+0080 ... */

		putchar(is_control ? '?' : byte);
		text += byte == 0xc2 && is_control;
	}
}

int inspect_ask(const struct load_options *options, const char *const words[])
{
	int fd = find_daemon(options), status = CONTROL_NO_ANSWER;
	uint64_t due = clock_read() + (strcmp(words[0], "reload") == 0 ? RELOAD_MS : ANSWER_MS);
	size_t length = 0;
	char *bytes = NULL;
	const char *text;

	if (fd < 0)
		return CONTROL_NO_ANSWER;
	if (send_request(fd, words))
		bytes = receive(fd, &length, due);
	close(fd);
	text = read_answer(bytes, length, &status);
	if (text)
		print_plain(text);
	else
		fprintf(stderr, "usherd: the daemon has not answered%s\n",
			clock_read() < due ? "" : " in time");
	free(bytes);
	return text && fflush(stdout) == 0 ? status : CONTROL_NO_ANSWER;
}
