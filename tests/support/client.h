/* Clients of the daemon under test. Hosts are numeric addresses, NULL is
 * 127.0.0.1. Everything is bounded by the deadline, and fails the test when it
 * can't do what it says. */
#ifndef USHERD_TESTS_CLIENT_H
#define USHERD_TESTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct bytes {
	char *data; /* a NUL after the last byte; lives as long as the test */
	size_t length;
};

/* --- stream --- */

int client_connect(const char *host, int port);
int client_connect_from(const char *source, const char *host, int port);

/* True when nobody listens there. */
bool client_is_refused(const char *host, int port);

void client_send(int fd, const char *text);
void client_send_bytes(int fd, const void *bytes, size_t length);
void client_finish_sending(int fd);

/* Exactly so many bytes, a line without its newline, or all until the end;
 * for that a reset is an end like any other. */
struct bytes client_read(int fd, size_t length);
char *client_read_line(int fd);
struct bytes client_read_all(int fd);

void client_expect(int fd, const char *text);
void client_expect_bytes(int fd, const void *bytes, size_t length);

/* No byte and no end comes within a fifth of a second. */
bool client_hears_nothing(int fd);

/* No further byte, and the end: 0, or ECONNRESET for a reset. */
int client_end(int fd);

/* The same, whichever it is; closes fd. */
void client_expect_end(int fd);

/* Sends text, finishes sending, and returns all that comes until the end. */
char *ask(int port, const char *text);
char *ask_at(const char *host, int port, const char *text);
char *ask_from(const char *source, int port, const char *text);

/* One exchange with an echoing server. */
void client_ping(int fd);

/* Connects to an echoing server and waits until it serves. */
int client_hold(int port);

/* The port of the client's own end. */
int client_port(int fd);

/* Closes so that the peer gets a reset. */
void client_reset(int fd);

/* --- datagram --- */

/* A socket that exchanges datagrams with that address alone. source may be NULL. */
int datagram_connect(const char *source, const char *host, int port);

void datagram_send(int fd, const void *bytes, size_t length);
struct bytes datagram_receive(int fd);
bool datagram_is_waiting(int fd);

/* Sends text and returns the answer. */
char *datagram_ask(int port, const char *text);

/* --- servers of the test's own --- */

struct endpoint {
	struct sockaddr_storage address;
	socklen_t length;
};

struct endpoint endpoint_of(const char *host, int port);

#endif
