#include "inspect/inspect.h"

#include "base/clock.h"
#include "config/control_client.h"
#include "config/control_socket.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum {
	ANSWER_MS = 7000,   /* longer than the daemon waits for those who ask before */
	RELOAD_MS = 130000, /* a reload may take long */
};

/* --- where the daemon is -------------------------------------------------------------------- */

static void complain(const char *path, const char *what)
{
	fprintf(stderr, "usherd: control socket %s: %s\n", path, what);
}

/* What a configuration says of the socket. */
enum named { NOTHING, NO_SOCKET, A_SOCKET };

/* The value of a line "control_socket = PATH", cut out of it; NULL: it is another line. */
static char *value_of(char *line)
{
	static const char name[] = "control_socket", blanks[] = " \t\n\"";
	char *rest = line + strspn(line, blanks), *value;

	if (strncmp(rest, name, sizeof name - 1) != 0)
		return NULL;
	rest += sizeof name - 1;
	rest += strspn(rest, blanks);
	if (*rest != '=')
		return NULL;
	value = rest + 1 + strspn(rest + 1, blanks);
	value[strcspn(value, blanks)] = '\0';
	return *value ? value : NULL;
}

static enum named read_line(char *line, const char *config, char path[static PATH_MAX])
{
	const char *slash = strrchr(config, '/'), *value = value_of(line);

	if (!value)
		return NOTHING;
	if (strcasecmp(value, "none") == 0)
		return NO_SOCKET;
	if (value[0] == '/' || !slash)
		snprintf(path, PATH_MAX, "%s", value);
	else
		snprintf(path, PATH_MAX, "%.*s/%s", (int)(slash - config), config, value);
	return A_SOCKET;
}

/* Where the entry has not been read because of an error in the file. */
static enum named find_line(const char *config, char path[static PATH_MAX])
{
	FILE *file = fopen(config, "re");
	char line[PATH_MAX + 64];
	enum named named = NOTHING;

	while (file && named == NOTHING && fgets(line, sizeof line, file))
		named = read_line(line, config, path);
	if (file)
		fclose(file);
	return named;
}

static enum named read_settings(const struct settings *settings, char path[static PATH_MAX])
{
	if (settings->daemon.has_no_control)
		return NO_SOCKET;
	if (!settings->daemon.control_socket)
		return NOTHING;
	snprintf(path, PATH_MAX, "%s", settings->daemon.control_socket);
	return A_SOCKET;
}

/* A file with errors counts too: it may well be the reason for asking. */
static enum named find_configured(const struct load_options *options, char path[static PATH_MAX])
{
	struct load_options quiet = *options;
	struct problems problems = { 0 };
	struct settings *settings;
	enum named named;

	quiet.advise = false;
	settings = settings_load_in_part(&quiet, &problems);
	named = settings ? read_settings(settings, path) : NOTHING;
	if (named == NOTHING && options->config && (!settings || problems.errors > 0))
		named = find_line(options->config, path);
	problems_clear(&problems);
	settings_free(settings);
	return named;
}

static int refuse_file(const char *config, const char *why)
{
	fprintf(stderr, "usherd: %s: %s\n", config, why);
	return -1;
}

/* Reports why there is none. Another daemon than the one that is meant must not be told to end
 * something: the usual place counts only where no other is named, and not for a file that can't be
 * read. Whoever may ask a daemon but not read its configuration does not name the file. */
static int find_daemon(const struct load_options *options, bool is_file_given)
{
	char configured[PATH_MAX];
	const char *path = configured;
	enum named named;
	int fd;

	if (is_file_given && options->config && access(options->config, R_OK) < 0)
		return refuse_file(options->config, strerror(errno));
	named = find_configured(options, configured);
	if (named == NO_SOCKET)
		return refuse_file(options->config,
				   "control_socket = none: this daemon can't be asked");
	fd = named == A_SOCKET ? control_client_connect(configured)
			       : control_client_connect_default(&path);
	if (fd < 0)
		complain(path, control_client_fault(errno));
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
	if (control_client_send(fd, line, length) == 0)
		return true;
	perror("usherd: the daemon can't be asked");
	return false;
}

/* The frontend writes the answer, and it reads what peers send. None of them may send control
 * bytes to the terminal. */
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

int inspect_ask(const struct load_options *options, bool is_file_given, const char *const words[])
{
	int wait_ms = strcmp(words[0], "reload") == 0 ? RELOAD_MS : ANSWER_MS;
	uint64_t due = clock_read() + (uint64_t)wait_ms;
	struct control_answer answer = { 0 };
	int fd = find_daemon(options, is_file_given);
	bool is_answered;

	if (fd < 0)
		return CONTROL_NO_ANSWER;
	is_answered = send_request(fd, words) && control_client_receive(fd, wait_ms, &answer) == 0;
	close(fd);
	if (is_answered)
		print_plain(answer.text);
	else
		fprintf(stderr, "usherd: the daemon has not answered%s\n",
			clock_read() < due ? "" : " in time");
	free(answer.bytes);
	return is_answered && fflush(stdout) == 0 ? answer.status : CONTROL_NO_ANSWER;
}
