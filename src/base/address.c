#include "base/address.h"

#include "base/digits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct address no_address = { .any.sa_family = AF_UNSPEC };

static struct address unwrap_mapped(const struct sockaddr_in6 *in6)
{
	struct address address = { .length = sizeof address.in4 };

	address.in4.sin_family = AF_INET;
	address.in4.sin_port = in6->sin6_port;
	memcpy(&address.in4.sin_addr, in6->sin6_addr.s6_addr + 12, sizeof address.in4.sin_addr);
	return address;
}

static struct address address_of_in6(const struct sockaddr *sockaddr)
{
	struct address address = { .length = sizeof address.in6 };

	memcpy(&address.in6, sockaddr, sizeof address.in6);
	if (IN6_IS_ADDR_V4MAPPED(&address.in6.sin6_addr))
		return unwrap_mapped(&address.in6);
	return address;
}

static struct address address_of_in4(const struct sockaddr *sockaddr)
{
	struct address address = { .length = sizeof address.in4 };

	memcpy(&address.in4, sockaddr, sizeof address.in4);
	return address;
}

struct address address_from_sockaddr(const struct sockaddr *sockaddr, socklen_t length)
{
	if (length < sizeof sockaddr->sa_family)
		return no_address;
	if (sockaddr->sa_family == AF_INET && length >= sizeof(struct sockaddr_in))
		return address_of_in4(sockaddr);
	if (sockaddr->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6))
		return address_of_in6(sockaddr);
	return no_address;
}

static int parse_in4(struct address *address, const char *text, uint16_t port)
{
	struct address parsed = { .length = sizeof parsed.in4 };

	if (inet_pton(AF_INET, text, &parsed.in4.sin_addr) != 1)
		return -1;
	parsed.in4.sin_family = AF_INET;
	parsed.in4.sin_port = htons(port);
	*address = parsed;
	return 0;
}

/* An interface by name, or by number, which address_text writes when the interface no
 * longer exists. */
static int parse_scope(uint32_t *scope, const char *text)
{
	unsigned long number;
	char *end;

	*scope = if_nametoindex(text);
	if (*scope)
		return 0;
	if (*text < '0' || *text > '9')
		return -1;
	errno = 0;
	number = strtoul(text, &end, 10);
	if (*end || errno || number == 0 || number > UINT32_MAX)
		return -1;
	*scope = (uint32_t)number;
	return 0;
}

static int parse_in6(struct address *address, const char *text, uint16_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const char *percent = strchrnul(text, '%');
	char digits[INET6_ADDRSTRLEN];
	size_t length = (size_t)(percent - text);

	if (length >= sizeof digits)
		return -1;
	memcpy(digits, text, length);
	digits[length] = '\0';
	if (inet_pton(AF_INET6, digits, &in6.sin6_addr) != 1)
		return -1;
	if (*percent && parse_scope(&in6.sin6_scope_id, percent + 1) < 0)
		return -1;
	*address = address_from_sockaddr((const struct sockaddr *)&in6, sizeof in6);
	return 0;
}

int address_parse(struct address *address, const char *text, uint16_t port)
{
	return strchr(text, ':') ? parse_in6(address, text, port) : parse_in4(address, text, port);
}

int address_of_socket(int fd, struct address *address)
{
	struct sockaddr_storage storage;
	socklen_t length = sizeof storage;

	if (getsockname(fd, (struct sockaddr *)&storage, &length) < 0) {
		*address = (struct address){ .length = 0 };
		return -1;
	}
	*address = address_from_sockaddr((struct sockaddr *)&storage, length);
	return 0;
}

bool address_is_known(const struct address *address)
{
	return address->length != 0;
}

static bool is_in4(const struct address *address)
{
	return address_is_known(address) && address->any.sa_family == AF_INET;
}

static bool is_in6(const struct address *address)
{
	return address_is_known(address) && address->any.sa_family == AF_INET6;
}

uint16_t address_port(const struct address *address)
{
	if (is_in4(address))
		return ntohs(address->in4.sin_port);
	if (is_in6(address))
		return ntohs(address->in6.sin6_port);
	return 0;
}

void address_set_port(struct address *address, uint16_t port)
{
	if (is_in4(address))
		address->in4.sin_port = htons(port);
	else if (is_in6(address))
		address->in6.sin6_port = htons(port);
}

static bool same_in6(const struct sockaddr_in6 *one, const struct sockaddr_in6 *other)
{
	if (!IN6_ARE_ADDR_EQUAL(&one->sin6_addr, &other->sin6_addr))
		return false;
	return one->sin6_scope_id == other->sin6_scope_id ||
	       !IN6_IS_ADDR_LINKLOCAL(&one->sin6_addr);
}

bool address_same_host(const struct address *one, const struct address *other)
{
	if (is_in4(one) && is_in4(other))
		return one->in4.sin_addr.s_addr == other->in4.sin_addr.s_addr;
	return is_in6(one) && is_in6(other) && same_in6(&one->in6, &other->in6);
}

static void append_scope(char text[static ADDRESS_TEXT_SIZE], uint32_t scope)
{
	size_t length = strlen(text);
	char name[IF_NAMESIZE];

	if (if_indextoname(scope, name))
		snprintf(text + length, ADDRESS_TEXT_SIZE - length, "%%%s", name);
	else
		snprintf(text + length, ADDRESS_TEXT_SIZE - length, "%%%u", scope);
}

/* As inet_ntop(3), which uses printf. */
static void write_in4(const struct in_addr *in4, char *text)
{
	const unsigned char *bytes = (const unsigned char *)in4;

	for (size_t i = 0; i < sizeof *in4; i++) {
		text = digits_write(text, bytes[i]);
		*text++ = '.';
	}
	text[-1] = '\0';
}

const char *address_text(const struct address *address, char text[static ADDRESS_TEXT_SIZE])
{
	if (is_in4(address)) {
		write_in4(&address->in4.sin_addr, text);
	} else if (is_in6(address)) {
		inet_ntop(AF_INET6, &address->in6.sin6_addr, text, ADDRESS_TEXT_SIZE);
		if (address->in6.sin6_scope_id)
			append_scope(text, address->in6.sin6_scope_id);
	} else {
		strcpy(text, "<no address>");
	}
	return text;
}

static unsigned family_width(sa_family_t family)
{
	return family == AF_INET ? 32 : family == AF_INET6 ? 128 : 0;
}

struct prefix prefix_of(const struct address *address, unsigned length)
{
	struct prefix prefix = { .family = AF_UNSPEC };

	if (is_in4(address)) {
		prefix.family = AF_INET;
		memcpy(prefix.bytes, &address->in4.sin_addr, sizeof address->in4.sin_addr);
	} else if (is_in6(address)) {
		prefix.family = AF_INET6;
		memcpy(prefix.bytes, &address->in6.sin6_addr, sizeof address->in6.sin6_addr);
	}
	prefix.length = (uint8_t)(length < 128 ? length : 128);
	prefix_trim(&prefix);
	return prefix;
}

void prefix_trim(struct prefix *prefix)
{
	unsigned width = family_width(prefix->family);
	unsigned whole;

	if (prefix->length > width)
		prefix->length = (uint8_t)width;
	whole = prefix->length / 8;
	if (whole == sizeof prefix->bytes)
		return;
	prefix->bytes[whole] &= (unsigned char)(0xff00 >> prefix->length % 8);
	memset(prefix->bytes + whole + 1, 0, sizeof prefix->bytes - whole - 1);
}

static bool first_bits_equal(const unsigned char *one, const unsigned char *other, unsigned bits)
{
	unsigned whole = bits / 8;
	unsigned char mask = (unsigned char)(0xff00 >> bits % 8);

	if (memcmp(one, other, whole) != 0)
		return false;
	return mask == 0 || ((one[whole] ^ other[whole]) & mask) == 0;
}

static const unsigned char *address_bytes(const struct address *address)
{
	return address->any.sa_family == AF_INET ? (const unsigned char *)&address->in4.sin_addr
						 : address->in6.sin6_addr.s6_addr;
}

struct prefix prefix_of_source(const struct address *address, struct source_prefix lengths)
{
	return prefix_of(address, address->any.sa_family == AF_INET ? lengths.in4 : lengths.in6);
}

bool prefix_holds(const struct prefix *prefix, const struct address *address)
{
	if (!address_is_known(address) || address->any.sa_family != prefix->family)
		return false;
	return first_bits_equal(prefix->bytes, address_bytes(address), prefix->length);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return outer->family == inner->family && outer->length <= inner->length &&
	       first_bits_equal(outer->bytes, inner->bytes, outer->length);
}

bool prefix_equal(const struct prefix *one, const struct prefix *other)
{
	return one->family == other->family && one->length == other->length &&
	       memcmp(one->bytes, other->bytes, sizeof one->bytes) == 0;
}

const char *prefix_text(const struct prefix *prefix, char text[static ADDRESS_TEXT_SIZE])
{
	size_t length;

	if (!inet_ntop(prefix->family, prefix->bytes, text, ADDRESS_TEXT_SIZE))
		return strcpy(text, "<no address>");
	length = strlen(text);
	snprintf(text + length, ADDRESS_TEXT_SIZE - length, "/%u", prefix->length);
	return text;
}
