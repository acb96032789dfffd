/* The Identification Protocol of RFC 1413: the format of query and answer. Pure;
 * session/identify.h does the input and output. */
#ifndef USHERD_ADMISSION_IDENT_H
#define USHERD_ADMISSION_IDENT_H

#include <stddef.h>
#include <stdint.h>

enum { IDENT_PORT = 113, IDENT_QUERY_SIZE = 16, IDENT_REPLY_MAX = 1024, IDENT_USER_SIZE = 512 };

/* Writes "THEIRS,OURS\r\n". Returns its length. */
size_t ident_query(char query[static IDENT_QUERY_SIZE], uint16_t their_port, uint16_t our_port);

enum ident_outcome {
	IDENT_USER,         /* USERID: user holds what follows "USERID :", blanks trimmed,
			     * escaped for a log line */
	IDENT_ERROR,        /* the server answered ERROR */
	IDENT_BAD_RESPONSE, /* not an answer, or one to another question */
	IDENT_INCOMPLETE,   /* no end of line yet; read on up to IDENT_REPLY_MAX */
};

/* Judges the length bytes of reply that have come so far. A line ends at LF;
 * CR before it is optional. Both ports must be those asked about. A line that
 * does not end within IDENT_REPLY_MAX bytes is a bad response. user is cut to
 * what fits, and empty unless the outcome is IDENT_USER. */
enum ident_outcome ident_parse(const char *reply, size_t length, uint16_t their_port,
			       uint16_t our_port, char user[static IDENT_USER_SIZE]);

#endif
