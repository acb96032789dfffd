/* Socket addresses and address prefixes, the same for IPv4 and IPv6.
 *
 * An IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2) becomes the IPv4 address it
 * stands for as soon as it enters through address_from_sockaddr, so a client
 * of a dual-stack socket is the same host in logs, limits and rules. */
#ifndef USHERD_BASE_ADDRESS_H
#define USHERD_BASE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
	};
	socklen_t length; /* of the member in use; 0 when nothing is known */
};

/* The first `length` bits of an address; the bits after them are zero. */
struct prefix {
	sa_family_t family; /* AF_INET, AF_INET6, or AF_UNSPEC: no address */
	uint8_t length;     /* 0 to 32 or 0 to 128 */
	unsigned char bytes[16];
};

/* How many leading bits make a source of connections, by family. */
struct source_prefix {
	uint8_t in4, in6;
};

/* Enough for every text address_text writes, scope and final NUL included. */
enum { ADDRESS_TEXT_SIZE = 80 };

/* Copies sockaddr, mapped addresses unwrapped. Any family other than AF_INET
 * and AF_INET6, and any length too short for its family, gives an unknown
 * address. */
struct address address_from_sockaddr(const struct sockaddr *sockaddr, socklen_t length);

/* Reads a numeric address as inet_pton(3) does, with an optional %scope on
 * IPv6, an interface by name or number; mapped addresses are unwrapped. Returns
 * 0, or -1 when text is no such address. */
int address_parse(struct address *address, const char *text, uint16_t port)
	__attribute__((warn_unused_result));

/* The local address of a socket. 0, or -1 with errno and *address unknown. */
int address_of_socket(int fd, struct address *address);

bool address_is_known(const struct address *address);

/* Host byte order; 0 when unknown. */
uint16_t address_port(const struct address *address);
void address_set_port(struct address *address, uint16_t port);

/* True when both are the same host; ports do not count, the scope only where
 * link-local addresses need it. An unknown address equals none. */
bool address_same_host(const struct address *one, const struct address *other);

/* Numeric, without port or brackets; "<no address>" when unknown. Returns text. */
const char *address_text(const struct address *address, char text[static ADDRESS_TEXT_SIZE]);

/* The prefix of the given length that holds address; a length beyond the
 * family's width means the whole width. An unknown address has family
 * AF_UNSPEC and length 0. */
struct prefix prefix_of(const struct address *address, unsigned length);

/* The source that address belongs to. */
struct prefix prefix_of_source(const struct address *address, struct source_prefix lengths);

/* True when address lies in prefix; never for another family. */
bool prefix_holds(const struct prefix *prefix, const struct address *address);

/* True when every address of inner lies in outer too. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);

bool prefix_equal(const struct prefix *one, const struct prefix *other);

/* Clears the bits after prefix->length, as every prefix must have it. */
void prefix_trim(struct prefix *prefix);

/* "10.0.0.0/8"; returns text. */
const char *prefix_text(const struct prefix *prefix, char text[static ADDRESS_TEXT_SIZE]);

#endif
