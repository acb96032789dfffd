/* The names of syslog's facilities and levels, in any case. */
#ifndef USHERD_BASE_SYSLOG_NAMES_H
#define USHERD_BASE_SYSLOG_NAMES_H

/* LOG_DAEMON for "daemon" ...; -1 when there is no such facility. */
int syslog_facility(const char *name);

/* LOG_INFO for "info" ...; -1 when there is no such level. */
int syslog_level(const char *name);

#endif
