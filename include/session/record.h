/* A service's log lines, in xinetd's format: one function for each line, which writes it
 * only if log_on_success or log_on_failure asks for it. Without a log_type the lines go
 * to the daemon's own log.
 *
 * Where the log takes facts (log.h) there is one record for each event, and traffic and usage
 * are part of the one about the end: record_traffic and record_usage come before record_exit. */
#ifndef USHERD_SESSION_RECORD_H
#define USHERD_SESSION_RECORD_H

#include "session/refusal.h"
#include "session/session.h"

#include <stdint.h>

/* START: ID[ pid=N][ from=ADDRESS][ session=ID] */
void record_start(const struct session *session);

/* The same for a datagram that the loop answered, which has no session. */
void record_answer(const struct service_settings *settings, struct sink *log,
		   const struct address *peer);

/* EXIT: ID[ status=N | signal=N][ pid=N][ duration=N(sec)][ reason=WORD][ session=ID];
 * status as of waitpid(2). */
void record_exit(const struct session *session, int status);

/* RUSAGE: ID[ pid=N] cpu=N.N(sec) maxrss=N(KiB); processor time in microseconds, the largest
 * resident set in KiB. */
void record_usage(struct session *session, uint64_t cpu_us, uint64_t max_rss);

/* FAIL: ID REASON[ from=ADDRESS][ count=N] */
void record_fail(const struct service_settings *settings, struct sink *log,
		 const struct refusal *refusal);

/* USERID: ID USER. user is escaped. The caller checks log_on_success for an admitted
 * session, log_on_failure for a refused one. */
void record_userid(const struct session *session, const char *user);

/* NOID: ID ADDRESS REASON */
void record_noid(const struct session *session, const char *reason);

/* TRAFFIC: ID in=N(bytes) out=N(bytes) */
void record_traffic(struct session *session, uint64_t in, uint64_t out);

#endif
