/* The header of the PROXY protocol, versions 1 and 2: with it a balancer says who its client
 * is (haproxy's proxy-protocol.txt). Pure: it is given bytes, and does no input or output. */
#ifndef USHERD_ADMISSION_PROXY_HEADER_H
#define USHERD_ADMISSION_PROXY_HEADER_H

#include "base/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Versions are bits of a set. */
enum proxy_version { PROXY_V1 = 1, PROXY_V2 = 2 };

enum {
	PROXY_LINE_MAX = 107,    /* bytes of version 1, CRLF included */
	PROXY_WRITTEN_MAX = 107, /* bytes that proxy_header_write writes */
	PROXY_UNIQUE_ID_MAX = 128,
	PROXY_AUTHORITY_MAX = 255,
	PROXY_SSL_VERSION_MAX = 32,
	PROXY_SSL_NAME_MAX = 255,
};

/* The size of a text of that many bytes when all of them are escaped (log_escape). */
#define PROXY_TEXT_SIZE(bytes) (4 * (bytes) + 1)

/* What version 2 can say besides the addresses, escaped: printable ASCII. "": it was not
 * said. */
struct proxy_facts {
	char unique_id[PROXY_TEXT_SIZE(PROXY_UNIQUE_ID_MAX)];
	char authority[PROXY_TEXT_SIZE(PROXY_AUTHORITY_MAX)]; /* the name the client asked for */
	char ssl_version[PROXY_TEXT_SIZE(PROXY_SSL_VERSION_MAX)];
	char ssl_name[PROXY_TEXT_SIZE(PROXY_SSL_NAME_MAX)]; /* of a certificate that was verified */
};

enum proxy_progress {
	PROXY_WAITS,   /* for more bytes */
	PROXY_DONE,    /* the header is complete and valid */
	PROXY_REFUSED, /* it is not valid, and fault says why */
};

/* The position among the TLVs of one level. */
struct proxy_tlv {
	unsigned head; /* bytes of type and length that have come: 0 to 3 */
	uint8_t type;
	unsigned length, left; /* of the value */
};

/* A header that is being read. Its size is all the memory that any header takes. */
struct proxy_header {
	const char *fault;
	struct address source, destination; /* unknown: the client is the balancer itself, as in a
					     * health check */
	bool has_facts;
	struct proxy_facts facts;

	/* Private. */
	unsigned versions, version;
	size_t at; /* bytes taken so far */
	bool is_complete;
	unsigned char start[PROXY_LINE_MAX + 1]; /* the line, or what stands before the TLVs */
	size_t addresses, length;                /* version 2: bytes after the first 16 */
	struct proxy_tlv outer, inner;
	unsigned seen;                             /* facts, by number */
	char value[PROXY_AUTHORITY_MAX];           /* of the current TLV */
	uint32_t checksum, found_checksum, verify; /* of CRC32C and SSL */
	uint8_t ssl_client;
};

/* Begins a header of one of these versions. */
void proxy_header_begin(struct proxy_header *header, unsigned versions);

/* Takes those of the bytes that belong to the header, and stores their number in *taken:
 * all of them unless the header ends among them. Not to be called after PROXY_DONE and
 * PROXY_REFUSED. */
enum proxy_progress proxy_header_take(struct proxy_header *header, const void *bytes, size_t length,
				      size_t *taken);

/* Writes a header that says that source has connected to destination. One IPv4 address beside
 * one IPv6 address is written in its IPv4-mapped form. If an address is unknown, the header
 * says so. Returns its length. */
size_t proxy_header_write(enum proxy_version version, const struct address *source,
			  const struct address *destination,
			  unsigned char written[static PROXY_WRITTEN_MAX + 1]);

#endif
