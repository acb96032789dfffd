/* The control socket: where a running daemon is asked how it is, and told what to do.
 *
 * A UNIX stream socket. A client sends one line: words with one blank between them, at most
 * CONTROL_REQUEST_MAX bytes with the newline. The answer is one line, "usherd STATUS LENGTH",
 * then LENGTH bytes for people or programs, then the end. STATUS is the exit status of the
 * command that asked. */
#ifndef USHERD_CONFIG_CONTROL_SOCKET_H
#define USHERD_CONFIG_CONTROL_SOCKET_H

#include <limits.h>
#include <stddef.h>

enum {
	CONTROL_REQUEST_MAX = 512,
	CONTROL_ANSWER_MAX = 64 << 20,
	CONTROL_HEAD_MAX = 64, /* of the first line, with the newline and a NUL */
};

/* The statuses of an answer. */
enum { CONTROL_FINE = 0, CONTROL_FAILED = 1, CONTROL_NO_ANSWER = 2 };

#define CONTROL_PATH "/run/usherd/control"

/* Where the socket is unless the configuration says: for root CONTROL_PATH, for others
 * usherd/control in XDG_RUNTIME_DIR. Returns path; NULL: nowhere. */
const char *control_socket_default(char path[static PATH_MAX]);

#endif
