#include "admission/proxy_header.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* What begins with the numbers of the protocol is called like there. */
enum {
	SIGNATURE_LENGTH = 12,
	FIXED_LENGTH = 16, /* signature, command, family, length */
	IN4_LENGTH = 2 * 4 + 2 * 2,
	IN6_LENGTH = 2 * 16 + 2 * 2,
	UNIX_LENGTH = 2 * 108,
	TYPE_AUTHORITY = 0x02,
	TYPE_CRC32C = 0x03,
	TYPE_UNIQUE_ID = 0x05,
	TYPE_SSL = 0x20,
	SUBTYPE_SSL_VERSION = 0x21,
	SUBTYPE_SSL_CN = 0x22,
	CLIENT_SSL = 1,         /* the client uses TLS */
	CLIENT_CERT = 2 | 4,    /* it has a certificate, shown on this connection or before */
	SSL_HEAD_LENGTH = 1 + 4 /* client and verify */
};

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

_Static_assert(sizeof signature - 1 == SIGNATURE_LENGTH, "the signature has 12 bytes");

void proxy_header_begin(struct proxy_header *header, unsigned versions)
{
	memset(header, 0, sizeof *header);
	header->versions = versions;
	header->checksum = ~UINT32_C(0);
}

static struct address address_of_bytes(int family, const void *bytes, uint16_t port)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	if (family == AF_INET) {
		memcpy(&in4.sin_addr, bytes, sizeof in4.sin_addr);
		return address_from_sockaddr((struct sockaddr *)&in4, sizeof in4);
	}
	memcpy(&in6.sin6_addr, bytes, sizeof in6.sin6_addr);
	return address_from_sockaddr((struct sockaddr *)&in6, sizeof in6);
}

/* --- version 1 --------------------------------------------------------------------------- */

static const char prefix[] = "PROXY ";

/* A decimal number without leading zeros. */
static bool read_port(const char *text, uint16_t *port)
{
	size_t length = strlen(text);
	unsigned number = 0;

	if (length == 0 || length > 5 || (text[0] == '0' && length > 1))
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		number = number * 10 + (unsigned)(*text - '0');
	}
	*port = (uint16_t)number;
	return number <= UINT16_MAX;
}

/* inet_pton(3) takes no leading zeros and no scopes. */
static bool read_end(int family, const char *host, const char *port, struct address *address)
{
	struct in6_addr bytes;
	uint16_t number;

	if (inet_pton(family, host, &bytes) != 1 || !read_port(port, &number))
		return false;
	*address = address_of_bytes(family, &bytes, number);
	return true;
}

enum { WORDS = 5 }; /* TCP4 SOURCE DESTINATION PORT PORT */

static const char *read_words(struct proxy_header *header, char *line)
{
	const char *words[WORDS];
	int family;

	for (size_t i = 0; i < WORDS; i++)
		if (!(words[i] = strsep(&line, " ")))
			return "a line without two addresses and two ports";
	if (line)
		return "a line with too many words";
	if (strcmp(words[0], "TCP4") == 0)
		family = AF_INET;
	else if (strcmp(words[0], "TCP6") == 0)
		family = AF_INET6;
	else
		return "a line with an unknown protocol";
	if (!read_end(family, words[1], words[3], &header->source) ||
	    !read_end(family, words[2], words[4], &header->destination))
		return "a line with an address or a port that is none";
	return NULL;
}

/* What follows UNKNOWN is ignored. */
static const char *read_line(struct proxy_header *header)
{
	static const char unknown[] = "UNKNOWN";
	char *line = (char *)header->start + strlen(prefix);
	size_t length = header->at - 2 - strlen(prefix);

	line[length] = '\0';
	if (strncmp(line, unknown, strlen(unknown)) == 0 &&
	    (line[strlen(unknown)] == '\0' || line[strlen(unknown)] == ' '))
		return NULL;
	if (strlen(line) != length)
		return "a line with a NUL";
	return read_words(header, line);
}

static const char *take_line_byte(struct proxy_header *header, unsigned char byte)
{
	size_t at = header->at++;

	header->start[at] = byte;
	if (at < strlen(prefix))
		return byte == (unsigned char)prefix[at] ? NULL : "no PROXY header";
	if (byte == '\n' && header->start[at - 1] == '\r') {
		header->is_complete = true;
		return read_line(header);
	}
	return header->at < PROXY_LINE_MAX ? NULL : "a line that does not end";
}

/* --- version 2: the facts ----------------------------------------------------------------- */

/* TLVs that are used. Those of SSL contain others. */
static const struct fact {
	uint8_t type;
	bool is_inner;
	unsigned least, most; /* bytes of the value */
	size_t text, size;    /* in struct proxy_facts; 0: it has none */
} facts[] = {
#define TEXT(member) offsetof(struct proxy_facts, member), sizeof((struct proxy_facts *)0)->member
	{ TYPE_UNIQUE_ID, false, 0, PROXY_UNIQUE_ID_MAX, TEXT(unique_id) },
	{ TYPE_AUTHORITY, false, 0, PROXY_AUTHORITY_MAX, TEXT(authority) },
	{ SUBTYPE_SSL_VERSION, true, 0, PROXY_SSL_VERSION_MAX, TEXT(ssl_version) },
	{ SUBTYPE_SSL_CN, true, 0, PROXY_SSL_NAME_MAX, TEXT(ssl_name) },
	{ TYPE_SSL, false, SSL_HEAD_LENGTH, UINT16_MAX, 0, 0 },
	{ TYPE_CRC32C, false, 4, 4, 0, 0 },
#undef TEXT
};

static bool is_inner(const struct proxy_header *header, const struct proxy_tlv *tlv)
{
	return tlv == &header->inner;
}

/* The fact that the TLV is; NULL: one that is not used. */
static const struct fact *fact_of(const struct proxy_header *header, const struct proxy_tlv *tlv)
{
	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
		if (facts[i].type == tlv->type && facts[i].is_inner == is_inner(header, tlv))
			return &facts[i];
	return NULL;
}

/* Type and length are complete. rest: bytes that follow in what holds the TLV. */
static const char *begin_value(struct proxy_header *header, struct proxy_tlv *tlv, size_t rest)
{
	const struct fact *fact = fact_of(header, tlv);
	unsigned bit = fact ? 1U << (fact - facts) : 0;

	tlv->left = tlv->length;
	if (tlv->length > rest)
		return "a TLV that is longer than what holds it";
	if (!fact)
		return NULL;
	if (tlv->length < fact->least || tlv->length > fact->most)
		return "a TLV of a length that it can't have";
	if (header->seen & bit)
		return "a TLV that is there twice";
	header->seen |= bit;
	return NULL;
}

static void keep_text(struct proxy_header *header, const struct proxy_tlv *tlv,
		      const struct fact *fact)
{
	log_escape((char *)&header->facts + fact->text, fact->size, header->value, tlv->length);
	header->has_facts |= tlv->length > 0;
}

static const char *take_tlv_byte(struct proxy_header *header, struct proxy_tlv *tlv, size_t rest,
				 unsigned char byte);

/* Client, verify, and then TLVs. */
static const char *take_ssl_byte(struct proxy_header *header, unsigned index, unsigned char byte)
{
	if (index == 0)
		header->ssl_client = byte;
	else if (index < SSL_HEAD_LENGTH)
		header->verify |= byte;
	else
		return take_tlv_byte(header, &header->inner, header->outer.left, byte);
	return NULL;
}

static const char *take_value_byte(struct proxy_header *header, const struct proxy_tlv *tlv,
				   unsigned index, unsigned char byte)
{
	const struct fact *fact = fact_of(header, tlv);

	if (!fact)
		return NULL;
	if (fact->type == TYPE_CRC32C)
		header->found_checksum = header->found_checksum << 8 | byte;
	else if (fact->type == TYPE_SSL)
		return take_ssl_byte(header, index, byte);
	else
		header->value[index] = (char)byte;
	if (fact->size > 0 && tlv->left == 0)
		keep_text(header, tlv, fact);
	return NULL;
}

static bool has_ended(const struct proxy_tlv *tlv)
{
	return tlv->head == 3 && tlv->left == 0;
}

static const char *take_head_byte(struct proxy_header *header, struct proxy_tlv *tlv, size_t rest,
				  unsigned char byte)
{
	if (tlv->head++ == 0) {
		tlv->type = byte;
		tlv->length = 0;
		return NULL;
	}
	tlv->length = tlv->length << 8 | byte;
	return tlv->head == 3 ? begin_value(header, tlv, rest) : NULL;
}

/* One byte of a level of TLVs. rest: bytes that follow in this level. */
static const char *take_tlv_byte(struct proxy_header *header, struct proxy_tlv *tlv, size_t rest,
				 unsigned char byte)
{
	const char *fault;

	if (has_ended(tlv))
		tlv->head = 0;
	fault = tlv->head < 3 ? take_head_byte(header, tlv, rest, byte)
			      : take_value_byte(header, tlv, tlv->length - tlv->left--, byte);
	if (!fault && rest == 0 && !has_ended(tlv))
		return "a TLV that is cut off";
	return fault;
}

/* --- version 2: the rest ------------------------------------------------------------------- */

/* CRC32C, four bits at a time (RFC 4960, appendix B). */
static uint32_t add_to_checksum(uint32_t checksum, unsigned char byte)
{
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	checksum ^= byte;
	checksum = checksum >> 4 ^ table[checksum & 15];
	return checksum >> 4 ^ table[checksum & 15];
}

/* True for a byte of the checksum itself, which counts as 0. */
static bool is_checksum(const struct proxy_header *header)
{
	const struct proxy_tlv *tlv = &header->outer;

	return tlv->head == 3 && tlv->left > 0 && tlv->type == TYPE_CRC32C;
}

/* How long the addresses are; 0: the family has none that are known here. */
static size_t addresses_length(unsigned family)
{
	static const size_t lengths[] = { 0, IN4_LENGTH, IN6_LENGTH, UNIX_LENGTH };

	return family & 0xf ? lengths[family >> 4] : 0;
}

/* A client of another kind than TCP is as unknown as that of a health check. */
static bool is_tcp(unsigned family)
{
	return family == 0x11 || family == 0x21;
}

static const char *read_fixed(struct proxy_header *header)
{
	unsigned command = header->start[12], family = header->start[13];

	header->length = (size_t)header->start[14] << 8 | header->start[15];
	if (command == 0x20) /* LOCAL: the rest is skipped, whatever it is */
		return NULL;
	if (command != 0x21)
		return "an unknown version or command";
	if (family >> 4 > 3 || (family & 0xf) > 2)
		return "an unknown family";
	if (header->length < addresses_length(family))
		return "a length that is too small for the addresses";
	if (is_tcp(family))
		header->addresses = addresses_length(family);
	return NULL;
}

static uint16_t port_at(const unsigned char *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void read_addresses(struct proxy_header *header)
{
	const unsigned char *source = header->start + FIXED_LENGTH;
	bool is_in4 = header->addresses == IN4_LENGTH;
	int family = is_in4 ? AF_INET : AF_INET6;
	size_t width = is_in4 ? 4 : 16;
	const unsigned char *destination = source + width, *ports = destination + width;

	header->source = address_of_bytes(family, source, port_at(ports));
	header->destination = address_of_bytes(family, destination, port_at(ports + 2));
}

/* The name of a certificate is believed only if the balancer has verified it. */
static const char *finish(struct proxy_header *header)
{
	bool has_checksum = header->seen & 1U << (sizeof facts / sizeof facts[0] - 1);

	header->is_complete = true;
	if (header->verify || !(header->ssl_client & CLIENT_CERT))
		header->facts.ssl_name[0] = '\0';
	if (!(header->ssl_client & CLIENT_SSL))
		header->facts.ssl_version[0] = '\0';
	if (has_checksum && header->found_checksum != ~header->checksum)
		return "a wrong checksum";
	return NULL;
}

/* The byte at that place, which is none of the first 16. */
static const char *take_block_byte(struct proxy_header *header, size_t at, unsigned char byte)
{
	size_t rest = FIXED_LENGTH + header->length - 1 - at;

	if (header->addresses == 0)
		return NULL;
	if (at >= FIXED_LENGTH + header->addresses)
		return take_tlv_byte(header, &header->outer, rest, byte);
	header->start[at] = byte;
	if (at + 1 == FIXED_LENGTH + header->addresses)
		read_addresses(header);
	return NULL;
}

static const char *take_fixed_byte(struct proxy_header *header, size_t at, unsigned char byte)
{
	header->start[at] = byte;
	if (at < SIGNATURE_LENGTH)
		return byte == (unsigned char)signature[at] ? NULL : "no PROXY header";
	return at + 1 == FIXED_LENGTH ? read_fixed(header) : NULL;
}

static const char *take_binary_byte(struct proxy_header *header, unsigned char byte)
{
	size_t at = header->at++;
	const char *fault;

	header->checksum = add_to_checksum(header->checksum, is_checksum(header) ? 0 : byte);
	fault = at < FIXED_LENGTH ? take_fixed_byte(header, at, byte)
				  : take_block_byte(header, at, byte);
	if (!fault && at + 1 >= FIXED_LENGTH && at + 1 == FIXED_LENGTH + header->length)
		fault = finish(header);
	return fault;
}

/* --- both ------------------------------------------------------------------------------------ */

/* The first byte tells the version. */
static const char *begin_version(struct proxy_header *header, unsigned char byte)
{
	if (byte == (unsigned char)prefix[0])
		header->version = PROXY_V1;
	else if (byte == (unsigned char)signature[0])
		header->version = PROXY_V2;
	else
		return "no PROXY header";
	if (!(header->versions & header->version))
		return "no PROXY header of the version that proxy_protocol says";
	return NULL;
}

static const char *take_byte(struct proxy_header *header, unsigned char byte)
{
	const char *fault = header->at == 0 ? begin_version(header, byte) : NULL;

	if (fault)
		return fault;
	return header->version == PROXY_V1 ? take_line_byte(header, byte)
					   : take_binary_byte(header, byte);
}

enum proxy_progress proxy_header_take(struct proxy_header *header, const void *bytes, size_t length,
				      size_t *taken)
{
	const unsigned char *byte = bytes;

	*taken = 0;
	while (*taken < length && !header->is_complete && !header->fault)
		header->fault = take_byte(header, byte[(*taken)++]);
	if (header->fault)
		return PROXY_REFUSED;
	return header->is_complete ? PROXY_DONE : PROXY_WAITS;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* Writes the host's bytes as that family has them. Returns how many these are. */
static size_t put_host(unsigned char *to, const struct address *address, bool as_in4)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	size_t before = 0;

	if (address->any.sa_family == AF_INET6) {
		memcpy(to, &address->in6.sin6_addr, 16);
		return 16;
	}
	if (!as_in4) {
		memcpy(to, mapped, sizeof mapped);
		before = sizeof mapped;
	}
	memcpy(to + before, &address->in4.sin_addr, 4);
	return before + 4;
}

static size_t put_port(unsigned char *to, const struct address *address)
{
	uint16_t port = address_port(address);

	to[0] = (unsigned char)(port >> 8);
	to[1] = (unsigned char)port;
	return 2;
}

/* Version 2 without addresses is PROXY with the family UNSPEC. */
static size_t write_binary(const struct address *source, const struct address *destination,
			   bool is_known, bool is_in4, unsigned char *written)
{
	size_t length = FIXED_LENGTH;

	memcpy(written, signature, SIGNATURE_LENGTH);
	written[12] = 0x21;
	written[13] = !is_known ? 0 : is_in4 ? 0x11 : 0x21;
	if (is_known) {
		length += put_host(written + length, source, is_in4);
		length += put_host(written + length, destination, is_in4);
		length += put_port(written + length, source);
		length += put_port(written + length, destination);
	}
	written[14] = 0;
	written[15] = (unsigned char)(length - FIXED_LENGTH);
	return length;
}

/* address_text would add the scope of a link-local address. */
static const char *host_text(const struct address *address, bool as_in4,
			     char text[static INET6_ADDRSTRLEN])
{
	unsigned char bytes[16];

	put_host(bytes, address, as_in4);
	inet_ntop(as_in4 ? AF_INET : AF_INET6, bytes, text, INET6_ADDRSTRLEN);
	return text;
}

static size_t write_line(const struct address *source, const struct address *destination,
			 bool is_known, bool is_in4, char *written)
{
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	if (!is_known)
		return (size_t)snprintf(written, PROXY_WRITTEN_MAX + 1, "PROXY UNKNOWN\r\n");
	return (size_t)snprintf(written, PROXY_WRITTEN_MAX + 1, "PROXY TCP%c %s %s %u %u\r\n",
				is_in4 ? '4' : '6', host_text(source, is_in4, from),
				host_text(destination, is_in4, to), address_port(source),
				address_port(destination));
}

size_t proxy_header_write(enum proxy_version version, const struct address *source,
			  const struct address *destination,
			  unsigned char written[static PROXY_WRITTEN_MAX + 1])
{
	bool is_known = address_is_known(source) && address_is_known(destination);
	bool is_in4 = is_known && source->any.sa_family == AF_INET &&
		      destination->any.sa_family == AF_INET;

	if (version == PROXY_V2)
		return write_binary(source, destination, is_known, is_in4, written);
	return write_line(source, destination, is_known, is_in4, (char *)written);
}
