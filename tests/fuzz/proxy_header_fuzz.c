/* Gives a header to the reader whole and in pieces of the size that the second byte says: the
 * result is the same, nothing is read that is not the header's, and what the reader keeps is
 * sound and printable. The lowest bits of the first byte say which versions are taken; with
 * the next bit the header gets the right signature and length of version 2, with another its
 * checksum. What the reader has found is written again, and read again. */
#include "admission/proxy_header.h"

#include "fuzz.h"

enum { FIXED = 16, INPUT_MAX = FIXED + 65535 + 64, MENDED = 4, CHECKED = 8, CHECKSUM_TLV = 7 };

static uint8_t bytes[INPUT_MAX];
static size_t size;

static void mend(void)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n\x21";
	size_t length;

	if (size < FIXED)
		return;
	memcpy(bytes, signature, sizeof signature - 1);
	length = size - FIXED < 65535 ? size - FIXED : 65535;
	if (bytes[14] & 1) /* or some bytes of data follow */
		length -= length > 4 ? 4 : 0;
	bytes[14] = (uint8_t)(length >> 8);
	bytes[15] = (uint8_t)length;
}

static uint32_t checksum_of(size_t length)
{
	uint32_t sum = ~UINT32_C(0);

	for (size_t i = 0; i < length; i++) {
		sum ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78 : 0);
	}
	return ~sum;
}

/* The last TLV becomes the checksum, if there is room for one. */
static void add_checksum(void)
{
	size_t length = size < FIXED ? 0 : FIXED + ((size_t)bytes[14] << 8 | bytes[15]);
	uint8_t *tlv = bytes + length - CHECKSUM_TLV;
	uint32_t sum;

	if (length < FIXED + 12 + CHECKSUM_TLV || length > size)
		return;
	memcpy(tlv, "\3\0\4\0\0\0\0", CHECKSUM_TLV);
	sum = checksum_of(length);
	for (int i = 0; i < 4; i++)
		tlv[3 + i] = (uint8_t)(sum >> (24 - 8 * i));
}

static bool is_text(const char *text, size_t room)
{
	size_t length = strnlen(text, room);

	return length < room && is_printable(text, length);
}

static void check_sound(const struct proxy_header *header, enum proxy_progress progress,
			unsigned versions, size_t taken)
{
	const struct proxy_facts *facts = &header->facts;

	require((progress == PROXY_REFUSED) == (header->fault != NULL));
	require(progress != PROXY_WAITS || taken == size);
	require(progress != PROXY_DONE || (header->version & versions));
	require(is_text(facts->unique_id, sizeof facts->unique_id));
	require(is_text(facts->authority, sizeof facts->authority));
	require(is_text(facts->ssl_version, sizeof facts->ssl_version));
	require(is_text(facts->ssl_name, sizeof facts->ssl_name));
	if (progress == PROXY_DONE)
		require(address_is_known(&header->source) ==
			address_is_known(&header->destination));
}

/* The header ends where the format says. */
static void check_end(const struct proxy_header *header, size_t taken)
{
	if (header->version == PROXY_V2)
		require(taken == FIXED + ((size_t)bytes[14] << 8 | bytes[15]));
	else
		require(taken <= PROXY_LINE_MAX && memcmp(bytes + taken - 2, "\r\n", 2) == 0 &&
			!memmem(bytes, taken - 1, "\r\n", 2));
}

static enum proxy_progress take_pieces(struct proxy_header *header, size_t piece, size_t *taken)
{
	enum proxy_progress progress = PROXY_WAITS;

	for (*taken = 0; *taken < size && progress == PROXY_WAITS;) {
		size_t left = size - *taken, more;

		progress = proxy_header_take(header, bytes + *taken, left < piece ? left : piece,
					     &more);
		*taken += more;
	}
	return progress;
}

static bool same_end(const struct address *one, const struct address *other)
{
	return address_port(one) == address_port(other) &&
	       (address_same_host(one, other) || one->length + other->length == 0);
}

static void check_same(const struct proxy_header *one, const struct proxy_header *other)
{
	require(one->fault == other->fault && one->at == other->at);
	require(one->has_facts == other->has_facts);
	require(memcmp(&one->facts, &other->facts, sizeof one->facts) == 0);
	require(same_end(&one->source, &other->source));
	require(same_end(&one->destination, &other->destination));
}

static void check_written(const struct proxy_header *header, enum proxy_version version)
{
	unsigned char written[PROXY_WRITTEN_MAX + 1];
	size_t length = proxy_header_write(version, &header->source, &header->destination, written);
	struct proxy_header again;
	size_t taken;

	require(length <= PROXY_WRITTEN_MAX);
	proxy_header_begin(&again, version);
	require(proxy_header_take(&again, written, length, &taken) == PROXY_DONE);
	require(taken == length);
	require(same_end(&again.source, &header->source));
	require(same_end(&again.destination, &header->destination));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	static struct proxy_header whole, pieces;
	unsigned how = length > 0 ? input[0] : 0, versions = how & 3;
	enum proxy_progress progress;
	size_t taken, others;

	if (length < 2 || length - 2 > INPUT_MAX)
		return 0;
	size = length - 2;
	memcpy(bytes, input + 2, size);
	if (how & MENDED)
		mend();
	if (how & CHECKED)
		add_checksum();
	proxy_header_begin(&whole, versions);
	progress = proxy_header_take(&whole, bytes, size, &taken);
	check_sound(&whole, progress, versions, taken);
	proxy_header_begin(&pieces, versions);
	require(take_pieces(&pieces, input[1] + 1U, &others) == progress && others == taken);
	check_same(&whole, &pieces);
	if (progress == PROXY_DONE) {
		check_end(&whole, taken);
		check_written(&whole, PROXY_V1);
		check_written(&whole, PROXY_V2);
	}
	return 0;
}
