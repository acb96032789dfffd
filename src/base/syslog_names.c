#include "base/syslog_names.h"

#include <stddef.h>
#include <strings.h>
#include <syslog.h>

struct code {
	const char *name;
	int value;
};

static const struct code facilities[] = {
	{ "auth", LOG_AUTH },     { "authpriv", LOG_AUTHPRIV }, { "cron", LOG_CRON },
	{ "daemon", LOG_DAEMON }, { "ftp", LOG_FTP },           { "kern", LOG_KERN },
	{ "lpr", LOG_LPR },       { "mail", LOG_MAIL },         { "news", LOG_NEWS },
	{ "security", LOG_AUTH }, { "syslog", LOG_SYSLOG },     { "user", LOG_USER },
	{ "uucp", LOG_UUCP },     { "local0", LOG_LOCAL0 },     { "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 }, { "local3", LOG_LOCAL3 },     { "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },     { "local7", LOG_LOCAL7 },
};

static const struct code levels[] = {
	{ "alert", LOG_ALERT },  { "crit", LOG_CRIT },       { "debug", LOG_DEBUG },
	{ "emerg", LOG_EMERG },  { "err", LOG_ERR },         { "error", LOG_ERR },
	{ "info", LOG_INFO },    { "notice", LOG_NOTICE },   { "panic", LOG_EMERG },
	{ "warn", LOG_WARNING }, { "warning", LOG_WARNING },
};

static int find_code(const struct code *codes, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(codes[i].name, name) == 0)
			return codes[i].value;
	return -1;
}

int syslog_facility(const char *name)
{
	return find_code(facilities, sizeof facilities / sizeof facilities[0], name);
}

int syslog_level(const char *name)
{
	return find_code(levels, sizeof levels / sizeof levels[0], name);
}
