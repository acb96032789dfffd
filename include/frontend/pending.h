/* What a pending session waits for: the sending of a banner, the peer's names, an answer
 * from libwrap or an ident server. One of them at a time, each with a deadline; it is
 * cancelled when the session closes. */
#ifndef USHERD_FRONTEND_PENDING_H
#define USHERD_FRONTEND_PENDING_H

#include "channel/message.h"
#include "session/identify.h"
#include "session/session.h"

/* Starts the session's start_timeout, if it has one: when that is over before pending_done,
 * the session fails (REFUSED_START_TIMEOUT), is closed if it was refused before, or ended if
 * its handler has begun. */
void pending_limit(struct session *session);
void pending_done(struct session *session);

/* The next step of the session, called when the wait is over. */
typedef void pending_step(struct session *session);

/* Sends the banner, at most a mebibyte, then calls next. A file that can't be read is
 * logged and skipped. If the peer does not read the banner within 30 seconds, or has
 * closed, next is not called: the session fails (REFUSED_BANNER), or is closed if it was
 * refused before. */
void pending_send_banner(struct session *session, enum banner_kind which, pending_step *next);

/* The same with text, which must stay valid until then. */
void pending_send_text(struct session *session, const char *text, pending_step *next);

/* The same with a text that is copied. */
void pending_send_copy(struct session *session, const char *text, pending_step *next);

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

/* Closes the connection without losing sent data: waits for a short time until the peer
 * has closed too, then closes the session. */
void pending_linger(struct session *session);

#endif
