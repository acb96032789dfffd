#include "inspect/inspect.h"

#include "base/clock.h"
#include "config/control_client.h"
#include "config/control_socket.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
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

/* Reports why there is none. */
static int find_daemon(const struct load_options *options)
{
	char configured[PATH_MAX];
	const char *path = configured;
	int fd;

	if (find_configured(options, configured))
		fd = control_client_connect(configured);
	else
		fd = control_client_connect_default(&path);
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
	int wait_ms = strcmp(words[0], "reload") == 0 ? RELOAD_MS : ANSWER_MS;
	uint64_t due = clock_read() + (uint64_t)wait_ms;
	struct control_answer answer = { 0 };
	int fd = find_daemon(options);
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
