/* Asking a daemon at its control socket (control_socket.h). Blocking, each wait with an end. */
#ifndef USHERD_CONFIG_CONTROL_CLIENT_H
#define USHERD_CONFIG_CONTROL_CLIENT_H

#include <stddef.h>

/* A connection to the socket at path, of any length, which is the caller's to close; -1 with
 * errno. Takes at most five seconds. */
int control_client_connect(const char *path);

/* The same at the default socket (control_socket_default), or else at that of root: a user without
 * a daemon may mean root's. *path is the socket, valid until the next call. -1 with errno, which is
 * about the default socket if there is one. */
int control_client_connect_default(const char **path);

/* Why no daemon can be connected to, for a message, by errno. */
const char *control_client_fault(int error);

/* Sends a request, a line with its newline. 0, or -1 with errno. */
int control_client_send(int fd, const char *request, size_t length)
	__attribute__((warn_unused_result));

/* An answer. */
struct control_answer {
	int status;
	const char *text; /* ends with a NUL */
	size_t length;
	char *bytes; /* to be freed by the caller; holds the text */
};

/* Waits for the whole answer, for so many milliseconds. Returns 0, or -1 when it has not come,
 * is none, or there is no memory. answer->bytes is to be freed either way. */
int control_client_receive(int fd, int milliseconds, struct control_answer *answer)
	__attribute__((warn_unused_result));

#endif
