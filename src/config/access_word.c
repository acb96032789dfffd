#include "config/access_word.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

enum { LABEL_MAX = 63, MAPPED_LENGTH = 96 };

static const char *const word_texts[] = {
	[WORD_ADDED] = "was added",
	[WORD_HAS_COMMA] = "has a comma in it - remove the comma",
	[WORD_BAD_MASK] = "has no valid prefix length after the slash",
	[WORD_BAD_FACTOR] = "has braces that do not end an IPv4 address with numbers up to 255",
	[WORD_PART_OF_ADDRESS] = "is not a complete address",
	[WORD_NO_ADDRESS] = "is no address",
	[WORD_BAD_NAME] = "is no possible name of a host, domain or network",
	[WORD_NO_MEMORY] = "does not fit in memory",
};

const char *access_word_text(enum access_word what)
{
	return word_texts[what];
}

/* Moves *text past a decimal number of at most `most`. */
static bool read_number(const char **text, unsigned most, unsigned *number)
{
	const char *digit = *text;

	for (*number = 0; *digit >= '0' && *digit <= '9'; digit++) {
		*number = *number * 10 + (unsigned)(*digit - '0');
		if (*number > most)
			return false;
	}
	if (digit == *text)
		return false;
	*text = digit;
	return true;
}

/* The error for a word that could only be an address, and is none: it may be the beginning
 * of an IPv4 address. */
static enum access_word refuse_address(const char *word)
{
	unsigned octets = 0, number;

	while (octets < 4 && read_number(&word, 255, &number)) {
		octets++;
		if (*word != '.')
			break;
		word++;
	}
	return octets > 0 && octets < 4 && *word == '\0' ? WORD_PART_OF_ADDRESS : WORD_NO_ADDRESS;
}

static enum access_word means_prefix(struct access_meaning *meaning, struct prefix prefix)
{
	prefix_trim(&prefix);
	meaning->kind = RULE_PREFIX;
	meaning->prefixes[meaning->count++] = prefix;
	return WORD_ADDED;
}

static bool has_comma_outside_braces(const char *word)
{
	bool inside = false;

	for (; *word; word++) {
		if (*word == ',' && !inside)
			return true;
		if (*word == '{' || *word == '}')
			inside = *word == '{';
	}
	return false;
}

static enum access_word read_factors(struct access_meaning *meaning, const char *word)
{
	struct prefix prefix = { .family = AF_INET };
	unsigned octets = 0, number;

	for (; *word != '{'; octets++) {
		if (octets == 3 || !read_number(&word, 255, &number) || *word++ != '.')
			return WORD_BAD_FACTOR;
		prefix.bytes[octets] = (unsigned char)number;
	}
	prefix.length = (uint8_t)(8 * (octets + 1));
	do {
		word++;
		if (meaning->count == ACCESS_FACTORS_MAX || !read_number(&word, 255, &number))
			return WORD_BAD_FACTOR;
		prefix.bytes[octets] = (unsigned char)number;
		means_prefix(meaning, prefix);
	} while (*word == ',');
	return strcmp(word, "}") == 0 ? WORD_ADDED : WORD_BAD_FACTOR;
}

/* ::ffff:10.0.0.0/104 is 10.0.0.0/8; a shorter prefix has more than mapped addresses and
 * stays IPv6. */
static struct prefix prefix_of_mapped(const struct address *address, unsigned length)
{
	struct prefix prefix = { .family = AF_INET6, .length = (uint8_t)length };

	if (length >= MAPPED_LENGTH)
		return prefix_of(address, length - MAPPED_LENGTH);
	memset(prefix.bytes + 10, 0xff, 2);
	memcpy(prefix.bytes + 12, &address->in4.sin_addr, 4);
	return prefix;
}

static enum access_word read_network(struct access_meaning *meaning, const char *word)
{
	const char *mask = strchr(word, '/') + 1;
	size_t length = (size_t)(mask - 1 - word);
	char text[ADDRESS_TEXT_SIZE];
	struct address address;
	bool written_in6;
	unsigned bits;

	if (length >= sizeof text)
		return WORD_NO_ADDRESS;
	memcpy(text, word, length);
	text[length] = '\0';
	if (address_parse(&address, text, 0) < 0)
		return refuse_address(text);
	written_in6 = strchr(text, ':') != NULL;
	if (!read_number(&mask, written_in6 ? 128 : 32, &bits) || *mask)
		return WORD_BAD_MASK;
	if (written_in6 && address.any.sa_family == AF_INET)
		return means_prefix(meaning, prefix_of_mapped(&address, bits));
	return means_prefix(meaning, prefix_of(&address, bits));
}

static enum access_word read_in6(struct access_meaning *meaning, const char *word)
{
	struct address address;

	if (address_parse(&address, word, 0) < 0)
		return WORD_NO_ADDRESS;
	return means_prefix(meaning, prefix_of(&address, 128));
}

/* inet_aton ignores what follows a blank. */
static bool is_in4(const char *word, struct in_addr *in4)
{
	return word[strspn(word, "0123456789abcdefABCDEFxX.")] == '\0' && inet_aton(word, in4) != 0;
}

static enum access_word means_in4(struct access_meaning *meaning, struct in_addr in4)
{
	struct prefix prefix = { .family = AF_INET, .length = 32 };

	memcpy(prefix.bytes, &in4, sizeof in4);
	while (prefix.length >= 8 && prefix.bytes[prefix.length / 8 - 1] == 0)
		prefix.length = (uint8_t)(prefix.length - 8);
	return means_prefix(meaning, prefix);
}

static bool is_label_byte(unsigned char byte)
{
	return isascii(byte) && (isalnum(byte) || byte == '-' || byte == '_');
}

static bool is_label(const char *label, size_t length)
{
	if (length == 0 || length > LABEL_MAX || *label == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_label_byte((unsigned char)label[i]))
			return false;
	return true;
}

/* No top-level domain begins with a digit, so 10.0.0.0x and 1.2.3.4-9 are
 * mistakes, not names (RFC 1123, 2.1). */
static bool is_possible_name(const char *name)
{
	const char *label = name, *end = name + access_name_length(name);

	if (end - name > ACCESS_NAME_MAX)
		return false;
	for (;;) {
		size_t length = strcspn(label, ".");

		if (!is_label(label, length))
			return false;
		if (label + length >= end)
			return label == name || !isdigit(*label);
		label += length + 1;
	}
}

static enum access_word read_name(struct access_meaning *meaning, const char *word,
				  network_lookup *network_named)
{
	bool is_domain = *word == '.';
	struct prefix network;

	if (!is_possible_name(word + is_domain))
		return WORD_BAD_NAME;
	if (!is_domain && network_named && network_named(word, &network))
		return means_prefix(meaning, network);
	meaning->kind = is_domain ? RULE_DOMAIN : RULE_HOST;
	meaning->count = 1;
	return WORD_ADDED;
}

enum access_word access_word_read(struct access_meaning *meaning, const char *word,
				  network_lookup *network_named)
{
	struct in_addr in4;

	meaning->name = word;
	meaning->count = 0;
	if (has_comma_outside_braces(word))
		return WORD_HAS_COMMA;
	if (strpbrk(word, "{}"))
		return read_factors(meaning, word);
	if (strchr(word, '/'))
		return read_network(meaning, word);
	if (strchr(word, ':'))
		return read_in6(meaning, word);
	if (is_in4(word, &in4))
		return means_in4(meaning, in4);
	if (word[strspn(word, "0123456789.")] == '\0')
		return refuse_address(word);
	return read_name(meaning, word, network_named);
}
