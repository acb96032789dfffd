#include "soak/measures.h"

#include "support/client.h"
#include "support/place.h"

#include <check.h>
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const char *measures_ask(const char *request)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const char *answer, *text;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", place_path("control"));
	ck_assert_msg(connect(fd, (struct sockaddr *)&address, sizeof address) == 0,
		      "nobody answers at the control socket");
	client_send(fd, request);
	answer = client_read_all(fd).data;
	close(fd);
	text = strchr(answer, '\n');
	ck_assert_msg(strncmp(answer, "usherd ", 7) == 0 && text, "no answer: %.100s", answer);
	ck_assert_msg(strtoul(strchr(answer + 7, ' ') + 1, NULL, 10) == strlen(text + 1),
		      "an answer was cut: %.100s", answer);
	return text + 1;
}

uint64_t measures_value(const char *answer, const char *name, const char *label)
{
	const char *start = label ? textf("\n%s{%s} ", name, label) : textf("\n%s ", name);
	const char *line = strstr(answer, start);

	return line ? strtoull(line + strlen(start), NULL, 10) : 0;
}

uint64_t measures_of(const char *answer, const char *name, const char *id, const char *reason)
{
	return measures_value(answer, name,
			      reason ? textf("service=\"%s\",reason=\"%s\"", id, reason)
				     : textf("service=\"%s\"", id));
}

/* --- the format ------------------------------------------------------------------------------- */

static const char *skip_name(const char *text)
{
	return isalpha((unsigned char)*text)
		       ? text + strspn(text, "abcdefghijklmnopqrstuvwxyz"
					     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
		       : NULL;
}

/* name="value" pairs in braces; NULL when they are not right. */
static const char *skip_labels(const char *text)
{
	do {
		text = skip_name(text + 1);
		if (!text || strncmp(text, "=\"", 2) != 0)
			return NULL;
		for (text += 2; *text != '"'; text++)
			if (*text == '\n' || *text == '\0' || (*text == '\\' && !*++text))
				return NULL;
		text++;
	} while (*text == ',');
	return *text == '}' ? text + 1 : NULL;
}

/* A name, labels, a blank and a number. */
static bool is_sample(const char *line, const char *end)
{
	const char *text = skip_name(line);
	char *rest;

	if (text && *text == '{')
		text = skip_labels(text);
	if (!text || *text != ' ' || !isdigit((unsigned char)text[1]))
		return false;
	strtod(text + 1, &rest);
	return rest == end;
}

static bool is_comment(const char *line)
{
	return strncmp(line, "# HELP usherd_", 14) == 0 || strncmp(line, "# TYPE usherd_", 14) == 0;
}

void measures_check(const char *answer)
{
	const char *line = answer, *end;

	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		ck_assert_msg(end && (is_comment(line) || is_sample(line, end)),
			      "no measure: %.200s", line);
	}
	ck_assert_msg(line - answer > 2000, "few measures: %s", answer);
}

/* --- logs ------------------------------------------------------------------------------------- */

static void read_log(const char *path, void (*see)(const char *line, void *context), void *context)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	ck_assert_msg(file != NULL, "%s is gone", path);
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		see(line, context);
	}
	free(line);
	fclose(file);
}

void log_each(const char *name, void (*see)(const char *line, void *context), void *context)
{
	glob_t found;

	if (glob(textf("%s*", place_path(name)), 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		read_log(found.gl_pathv[i], see, context);
	globfree(&found);
}

struct counting {
	const char *one, *other;
	unsigned count;
};

static void count_line(const char *line, void *context)
{
	struct counting *counting = context;

	counting->count += strstr(line, counting->one) && strstr(line, counting->other);
}

unsigned log_count_both(const char *name, const char *one, const char *other)
{
	struct counting counting = { one, other, 0 };

	log_each(name, count_line, &counting);
	return counting.count;
}

unsigned log_count(const char *name, const char *text)
{
	return log_count_both(name, text, "");
}
