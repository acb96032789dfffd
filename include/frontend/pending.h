/* What a session waits for before its handler has it: a banner to be sent, the peer's
 * names, an answer from libwrap or an ident server. One of them at a time; it is given up
 * when the session closes. Each has a deadline. */
#ifndef USHERD_FRONTEND_PENDING_H
#define USHERD_FRONTEND_PENDING_H

#include "channel/message.h"
#include "session/identify.h"
#include "session/session.h"

/* Where a session goes on once what it waited for is there. */
typedef void pending_step(struct session *session);

/* Sends the banner's bytes, at most a mebibyte, then goes on with next: also when
 * the file can't be read, which is logged, but not when the peer does not take
 * them within 30 seconds or is gone: then the session fails (REFUSED_BANNER), or is
 * closed if it was refused before. */
void pending_send_banner(struct session *session, enum banner_kind which, pending_step *next);

/* The same with text, which has to stay until then. */
void pending_send_text(struct session *session, const char *text, pending_step *next);

/* Looks up the peer's names, then calls next with them. */
typedef void pending_names_step(struct session *session, const char *const *names);
void pending_ask_names(struct session *session, pending_names_step *next);

/* Asks libwrap about the peer, then calls next with its answer. */
typedef void pending_libwrap_step(struct session *session, bool allowed);
void pending_ask_libwrap(struct session *session, pending_libwrap_step *next);

/* Asks the peer's ident server, then calls next: session->user is set if the result is
 * IDENTIFIED. */
typedef void pending_ident_step(struct session *session, enum identify_result result);
void pending_ask_ident(struct session *session, uint64_t deadline_ms, pending_ident_step *next);

/* Closes the connection so that what was sent arrives: waits, not long, until
 * the peer has closed too, then closes the session. */
void pending_linger(struct session *session);

#endif
