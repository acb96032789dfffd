/* The readers of attributes about logs. */
#include "base/log.h"
#include "base/start_descriptors.h"
#include "base/syslog_names.h"
#include "config/reading.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>
#include <unistd.h>

/* The default is 1 % above the soft limit, but at least 5 and at most 20 KiB above it, as
 * in xinetd. */
static uint64_t default_hard_limit(uint64_t soft)
{
	uint64_t more = soft / 100;

	more = more < 5 * 1024 ? 5 * 1024 : more > 20 * 1024 ? 20 * 1024 : more;
	return soft < UINT64_MAX - more ? soft + more : UINT64_MAX;
}

static bool read_log_size(struct reading *reading, const struct word *word, uint64_t *size)
{
	if (parse_size(word->text, size))
		return true;
	reading_refuse(reading, word, "\"%s\" is not a size (K, M or G may follow)", word->text);
	return false;
}

static void read_log_limits(struct reading *reading, struct log_type *log)
{
	const struct word *const *words = reading->words;

	if (!read_log_size(reading, words[2], &log->soft_limit))
		return;
	log->hard_limit = default_hard_limit(log->soft_limit);
	if (reading->count < 4 || !read_log_size(reading, words[3], &log->hard_limit))
		return;
	if (log->hard_limit < log->soft_limit)
		reading_refuse(reading, words[3],
			       "the hard limit %s is less than the soft limit %s", words[3]->text,
			       words[2]->text);
}

static void check_log_directory(struct reading *reading, const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX];

	snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
	if (slash == path || strcmp(reading->usable->log_directory, directory) == 0)
		return;
	if (access(directory, F_OK) < 0)
		reading_refuse(reading, reading->words[1], "the directory of %s: %s", path,
			       strerror(errno));
	else
		strcpy(reading->usable->log_directory, directory);
}

/* Logs to a descriptor that the daemon was started with. It has no size limits: who reads from it
 * takes care of that. */
static void name_descriptor(struct reading *reading, struct log_type *log)
{
	const char *path = reading->words[1]->text;

	log->path = arena_string(reading->arena, strcmp(path, "-") == 0 ? "/dev/stdout" : path);
	log->soft_limit = log->hard_limit = 0;
}

static void read_file_log(struct reading *reading, struct log_type *log)
{
	if (reading->count < 2) {
		reading_refuse(reading, NULL, "FILE needs a path after it");
		return;
	}
	log->kind = LOG_KIND_FILE;
	if (reading->count > 2)
		read_log_limits(reading, log);
	if (start_descriptor_named(reading->words[1]->text) != NO_DESCRIPTOR) {
		name_descriptor(reading, log);
		return;
	}
	log->path = absolute_path(reading, reading->start_directory, reading->words[1]->text);
	if (log->path)
		check_log_directory(reading, log->path);
}

static void read_syslog_log(struct reading *reading, struct log_type *log)
{
	if (reading->count < 2 || reading->count > 3) {
		reading_refuse(reading, NULL,
			       "SYSLOG needs a facility and perhaps a level after it");
		return;
	}
	log->kind = LOG_KIND_SYSLOG;
	log->facility = syslog_facility(reading->words[1]->text);
	log->level = reading->count == 3 ? syslog_level(reading->words[2]->text) : LOG_INFO;
	if (log->facility < 0)
		reading_refuse(reading, reading->words[1], "\"%s\" is not a syslog facility",
			       reading->words[1]->text);
	if (log->level < 0)
		reading_refuse(reading, reading->words[2], "\"%s\" is not a syslog level",
			       reading->words[2]->text);
}

void read_log_type(struct reading *reading, void *field)
{
	if (strcasecmp(first_word(reading), "FILE") == 0)
		read_file_log(reading, field);
	else if (strcasecmp(first_word(reading), "SYSLOG") == 0)
		read_syslog_log(reading, field);
	else
		reading_refuse(reading, NULL, "\"%s\" is neither FILE nor SYSLOG",
			       first_word(reading));
}

void read_log_format(struct reading *reading, void *field)
{
	struct name_value formats[LOG_FORMATS + 1] = { { 0 } };

	for (int i = 0; i < LOG_FORMATS; i++)
		formats[i] = (struct name_value){ log_format_name((enum log_format)i), i };
	read_name(reading, reading->words[0], formats, field);
}

void read_log_success(struct reading *reading, void *field)
{
	static const struct name_value flags[] = {
		{ "PID", LOG_FLAG_PID },           { "HOST", LOG_FLAG_HOST },
		{ "USERID", LOG_FLAG_USERID },     { "EXIT", LOG_FLAG_EXIT },
		{ "DURATION", LOG_FLAG_DURATION }, { "TRAFFIC", LOG_FLAG_TRAFFIC },
		{ "REASON", LOG_FLAG_REASON },     { "RUSAGE", LOG_FLAG_RUSAGE },
		{ "SESSION", LOG_FLAG_SESSION },   { 0 },
	};

	read_set(reading, field, flags);
}

void read_log_failure(struct reading *reading, void *field)
{
	static const struct name_value flags[] = {
		{ "HOST", LOG_FLAG_HOST },
		{ "USERID", LOG_FLAG_USERID },
		{ "ATTEMPT", LOG_FLAG_ATTEMPT },
		{ 0 },
	};

	read_set(reading, field, flags);
}
