#include "admission/proxy_header.h"

#include "support/place.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define ANY (PROXY_V1 | PROXY_V2)
#define DATA "data" /* that follows a header, and is not its own */

/* --- reading ------------------------------------------------------------------------------ */

/* What became of a header. */
struct result {
	enum proxy_progress progress;
	size_t taken;
	const char *ends; /* "SOURCE PORT DESTINATION PORT"; "": the balancer itself */
	struct proxy_header header;
};

static const char *end_text(const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	return textf("%s %u", address_text(address, text), address_port(address));
}

static const char *ends_of(const struct proxy_header *header)
{
	if (!address_is_known(&header->source))
		return "";
	return textf("%s %s", end_text(&header->source), end_text(&header->destination));
}

static void feed(struct result *result, const unsigned char *bytes, size_t length)
{
	/* ASan sees a read beyond the piece. */
	unsigned char *piece = malloc(length + !length);
	size_t taken;

	ck_assert_ptr_nonnull(piece);
	memcpy(piece, bytes, length);
	result->progress = proxy_header_take(&result->header, piece, length, &taken);
	result->taken += taken;
	if (result->progress == PROXY_WAITS)
		ck_assert_uint_eq(taken, length);
	free(piece);
}

/* In pieces: the first has `first` bytes, the others have `others`. */
static struct result read_in_pieces(unsigned versions, const unsigned char *bytes, size_t length,
				    size_t first, size_t others)
{
	struct result result = { .progress = PROXY_WAITS };
	size_t next = first < length ? first : length;

	proxy_header_begin(&result.header, versions);
	for (size_t at = 0; at < length && result.progress == PROXY_WAITS;) {
		feed(&result, bytes + at, next);
		at += next;
		next = others < length - at ? others : length - at;
	}
	result.ends = ends_of(&result.header);
	return result;
}

static void expect_same(const struct result *one, const struct result *other, size_t cut)
{
	ck_assert_msg(one->progress == other->progress && one->taken == other->taken &&
			      strcmp(one->ends, other->ends) == 0 &&
			      one->header.fault == other->header.fault &&
			      memcmp(&one->header.facts, &other->header.facts,
				     sizeof one->header.facts) == 0,
		      "cut at %zu: %d %zu %s", cut, (int)other->progress, other->taken,
		      other->header.fault ? other->header.fault : "");
}

/* Whole, cut at each byte, and byte by byte: with the same result. */
static struct result read_header(unsigned versions, const void *bytes, size_t length)
{
	struct result whole = read_in_pieces(versions, bytes, length, length, 1), other;

	for (size_t cut = 1; cut < length && length < 600; cut++) {
		other = read_in_pieces(versions, bytes, length, cut, length);
		expect_same(&whole, &other, cut);
	}
	other = read_in_pieces(versions, bytes, length, 1, 1);
	expect_same(&whole, &other, 0);
	return whole;
}

static void expect_client(const struct result *result, size_t length, const char *ends)
{
	ck_assert_msg(result->progress == PROXY_DONE, "refused: %s", result->header.fault);
	ck_assert_uint_eq(result->taken, length);
	ck_assert_str_eq(result->ends, ends);
}

static void expect_fault(const struct result *result, const char *fault)
{
	ck_assert_int_eq(result->progress, PROXY_REFUSED);
	ck_assert_msg(strcmp(result->header.fault, fault) == 0, "%s", result->header.fault);
}

/* --- version 1 ------------------------------------------------------------------------------ */

#define LONG_IN6 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define MAPPED "0000:0000:0000:0000:0000:ffff:255.255.255.255" /* 45 characters */

static const struct {
	const char *line, *ends;
} lines[] = {
	{ "PROXY TCP4 192.0.2.7 198.51.100.1 4000 80\r\n", "192.0.2.7 4000 198.51.100.1 80" },
	{ "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
	  "255.255.255.255 65535 255.255.255.255 65535" },
	{ "PROXY TCP4 0.0.0.0 1.2.3.4 0 0\r\n", "0.0.0.0 0 1.2.3.4 0" },
	{ "PROXY TCP6 2001:db8::7 2001:db8::1 4000 80\r\n", "2001:db8::7 4000 2001:db8::1 80" },
	{ "PROXY TCP6 2001:DB8::A ::1 1 2\r\n", "2001:db8::a 1 ::1 2" },
	{ "PROXY TCP6 " LONG_IN6 " " LONG_IN6 " 65535 65535\r\n",
	  LONG_IN6 " 65535 " LONG_IN6 " 65535" },
	{ "PROXY TCP6 ::ffff:192.0.2.7 ::ffff:10.0.0.1 4000 80\r\n", "192.0.2.7 4000 10.0.0.1 80" },
	{ "PROXY TCP6 " MAPPED " ::1 4000 80\r\n", "255.255.255.255 4000 ::1 80" },
	{ "PROXY UNKNOWN\r\n", "" },
	{ "PROXY UNKNOWN \r\n", "" },
	{ "PROXY UNKNOWN junk \n\r \x01\xff 1 2 3 4 5 6 7\r\n", "" },
	{ "PROXY UNKNOWN " LONG_IN6 " " LONG_IN6 " 65535 65535\r\n", "" },
	{ "PROXY UNKNOWN PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "" },
};

START_TEST(reads_a_line)
{
	size_t length = strlen(lines[_i].line);
	const char *bytes = textf("%s" DATA, lines[_i].line);
	struct result result = read_header(PROXY_V1, bytes, strlen(bytes));

	expect_client(&result, length, lines[_i].ends);
	result = read_header(ANY, bytes, length);
	expect_client(&result, length, lines[_i].ends);
	ck_assert(!result.header.has_facts);
}
END_TEST

#define NO_HEADER "no PROXY header"
#define NO_WORDS "a line without two addresses and two ports"
#define MANY_WORDS "a line with too many words"
#define NO_PROTOCOL "a line with an unknown protocol"
#define NO_END "a line with an address or a port that is none"
#define ENDLESS "a line that does not end"

static const struct {
	const char *line, *fault;
	size_t size; /* 0: up to the NUL */
} bad_lines[] = {
	{ "GET / HTTP/1.0\r\n\r\n", NO_HEADER, 0 },
	{ "\n", NO_HEADER, 0 },
	{ " PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\n", NO_HEADER, 0 },
	{ "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", NO_HEADER, 0 },
	{ "PROXy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", NO_HEADER, 0 },
	{ "PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n", NO_HEADER, 0 },
	{ "PROXY\r\n", NO_HEADER, 0 },
	{ "PROXY \r\n", NO_WORDS, 0 },
	{ "PROXY TCP4\r\n", NO_WORDS, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", NO_WORDS, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", MANY_WORDS, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", MANY_WORDS, 0 },
	{ "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n", NO_PROTOCOL, 0 },
	{ "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", NO_PROTOCOL, 0 },
	{ "PROXY unknown 1.2.3.4 1.2.3.4 1 2\r\n", NO_PROTOCOL, 0 },
	{ "PROXY UNKNOWNS 1.2.3.4 1.2.3.4 1 2\r\n", NO_PROTOCOL, 0 },
	{ "PROXY UNKNOWNS 1.2.3.4 1.2.3.4 1\r\n", NO_WORDS, 0 },
	{ "PROXY  TCP4 1.2.3.4 1.2.3.4 1\r\n", NO_PROTOCOL, 0 },
	{ "PROXY TCP4  1.2.3.4 1.2.3.4 1\r\n", NO_END, 0 },
	{ "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.004 1.2.3.4 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 0x1.2.3.4 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 ::1 ::1 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 ::1 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP6 fe80::1%lo ::1 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP6 1:2:3:4:5:6:7:8:9 ::1 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP6 00001::1 ::1 1 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 99999999999 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 00 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\nx\r\n", NO_END, 0 },
	{ "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\0junk\r\n", "a line with a NUL", 37 },
	{ "PROXY TCP6 " MAPPED " " MAPPED " 65535 65535\r\n", ENDLESS, 0 },
	{ "PROXY UNKNOWN " LONG_IN6 " " LONG_IN6 " 65535 65535 \r\n", ENDLESS, 0 },
};

START_TEST(refuses_a_line)
{
	size_t size = bad_lines[_i].size ? bad_lines[_i].size : strlen(bad_lines[_i].line);
	struct result result = read_header(ANY, bad_lines[_i].line, size);

	expect_fault(&result, bad_lines[_i].fault);
}
END_TEST

START_TEST(a_line_ends_within_107_bytes)
{
	char bytes[200] = "PROXY UNKNOWN ";
	struct result result;

	memset(bytes + 14, 'x', sizeof bytes - 14);
	memcpy(bytes + 105, "\r\n", 2);
	result = read_header(ANY, bytes, sizeof bytes);
	expect_client(&result, 107, "");
	memcpy(bytes + 105, "x\r\n", 3);
	result = read_header(ANY, bytes, sizeof bytes);
	expect_fault(&result, ENDLESS);
	ck_assert_uint_eq(result.taken, 107);
	result = read_header(ANY, bytes, 106);
	ck_assert_int_eq(result.progress, PROXY_WAITS);
}
END_TEST

START_TEST(takes_only_its_versions)
{
	static const char line[] = "PROXY UNKNOWN\r\n";
	static const char binary[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
	struct result result = read_header(PROXY_V2, line, sizeof line - 1);

	expect_fault(&result, "no PROXY header of the version that proxy_protocol says");
	ck_assert_uint_eq(result.taken, 1);
	result = read_header(PROXY_V1, binary, sizeof binary - 1);
	expect_fault(&result, "no PROXY header of the version that proxy_protocol says");
	result = read_header(PROXY_V2, binary, sizeof binary - 1);
	expect_client(&result, 16, "");
}
END_TEST

/* --- version 2 ------------------------------------------------------------------------------- */

static unsigned char binary[16 + 65535 + 16];
static size_t binary_length;

static void add(const void *bytes, size_t length)
{
	memcpy(binary + binary_length, bytes, length);
	binary_length += length;
}

static void begin_binary(unsigned command, unsigned family)
{
	static const char fixed[] = "\r\n\r\n\0\r\nQUIT\n\0\0\0";

	binary_length = 0;
	add(fixed, 16);
	binary[12] = (unsigned char)command;
	binary[13] = (unsigned char)family;
}

static void set_length(size_t length)
{
	binary[14] = (unsigned char)(length >> 8);
	binary[15] = (unsigned char)length;
}

static void add_in4(void)
{
	add("\xc0\0\2\7\xc6\x33\x64\1\x0f\xa0\0\x50", 12);
}

#define IN4_ENDS "192.0.2.7 4000 198.51.100.1 80"

static void add_in6(void)
{
	add("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16);
	add("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	add("\x0f\xa0\0\x50", 4);
}

static void add_tlv(unsigned type, const void *value, size_t length)
{
	unsigned char head[] = { (unsigned char)type, (unsigned char)(length >> 8),
				 (unsigned char)length };

	add(head, sizeof head);
	add(value, length);
}

/* The header, the length of which is right, and data after it. */
static struct result read_binary(void)
{
	size_t length = binary_length;
	struct result result;

	set_length(length - 16);
	add(DATA, 4);
	result = read_header(PROXY_V2, binary, binary_length);
	if (result.progress == PROXY_DONE)
		ck_assert_uint_eq(result.taken, length);
	return result;
}

static void expect_ends(const char *ends)
{
	struct result result = read_binary();

	ck_assert_msg(result.progress == PROXY_DONE, "refused: %s", result.header.fault);
	ck_assert_str_eq(result.ends, ends);
}

static void expect_refused(const char *fault)
{
	struct result result = read_binary();

	expect_fault(&result, fault);
}

START_TEST(reads_addresses)
{
	static const char mapped[] = "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7"
				     "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\1\0\1\0\2";

	begin_binary(0x21, 0x11);
	add_in4();
	expect_ends(IN4_ENDS);
	begin_binary(0x21, 0x21);
	add_in6();
	expect_ends("2001:db8::7 4000 2001:db8::1 80");
	begin_binary(0x21, 0x21);
	add(mapped, 36);
	expect_ends("192.0.2.7 1 10.0.0.1 2");
}
END_TEST

/* Whatever stands in the block is skipped. */
static const struct {
	unsigned command, family;
	size_t length;
} of_the_balancer[] = {
	{ 0x20, 0x00, 0 },                          /* LOCAL */
	{ 0x20, 0x11, 12 },                         /* with an address block, */
	{ 0x20, 0x21, 36 },                         /* ... */
	{ 0x20, 0x00, 300 },                        /* with a length, */
	{ 0x20, 0x11, 5 },                          /* with one that does not fit its family, */
	{ 0x20, 0xff, 7 },                          /* and with a family that there is not */
	{ 0x20, 0x00, 65535 },                      /* ... */
	{ 0x21, 0x00, 0 },                          /* UNSPEC */
	{ 0x21, 0x00, 99 },                         /* with a length */
	{ 0x21, 0x01, 3 },                          /* UNSPEC, stream */
	{ 0x21, 0x10, 12 },                         /* IPv4, UNSPEC */
	{ 0x21, 0x12, 12 },                         /* UDP */
	{ 0x21, 0x22, 40 },    { 0x21, 0x31, 216 }, /* UNIX */
	{ 0x21, 0x32, 300 },
};

START_TEST(without_a_client_it_is_the_balancer)
{
	static unsigned char junk[65535];

	memset(junk, 0x5a, sizeof junk);
	begin_binary(of_the_balancer[_i].command, of_the_balancer[_i].family);
	add(junk, of_the_balancer[_i].length);
	expect_ends("");
}
END_TEST

static const struct {
	unsigned command, family;
	size_t length;
	const char *fault;
} bad_binaries[] = {
	{ 0x22, 0x11, 12, "an unknown version or command" },
	{ 0x2f, 0x11, 12, "an unknown version or command" },
	{ 0x11, 0x11, 12, "an unknown version or command" },
	{ 0x31, 0x11, 12, "an unknown version or command" },
	{ 0x10, 0x00, 0, "an unknown version or command" },
	{ 0x21, 0x41, 216, "an unknown family" },
	{ 0x21, 0xf1, 216, "an unknown family" },
	{ 0x21, 0x13, 12, "an unknown family" },
	{ 0x21, 0x0f, 12, "an unknown family" },
	{ 0x21, 0x11, 0, "a length that is too small for the addresses" },
	{ 0x21, 0x11, 11, "a length that is too small for the addresses" },
	{ 0x21, 0x21, 12, "a length that is too small for the addresses" },
	{ 0x21, 0x21, 35, "a length that is too small for the addresses" },
	{ 0x21, 0x22, 35, "a length that is too small for the addresses" },
	{ 0x21, 0x31, 215, "a length that is too small for the addresses" },
};

START_TEST(refuses_what_it_does_not_know)
{
	static const unsigned char zeros[300];
	struct result result;

	begin_binary(bad_binaries[_i].command, bad_binaries[_i].family);
	add(zeros, bad_binaries[_i].length);
	result = read_binary();
	expect_fault(&result, bad_binaries[_i].fault);
	ck_assert_uint_eq(result.taken, 16); /* at once, without waiting for the rest */
}
END_TEST

START_TEST(refuses_a_wrong_signature)
{
	for (size_t i = 1; i < 12; i++) {
		struct result result;

		begin_binary(0x21, 0x11);
		add_in4();
		binary[i] ^= 1;
		result = read_binary();
		expect_fault(&result, NO_HEADER);
		ck_assert_uint_eq(result.taken, i + 1);
	}
}
END_TEST

/* --- TLVs ------------------------------------------------------------------------------------- */

static void begin_client(void)
{
	begin_binary(0x21, 0x11);
	add_in4();
}

static struct proxy_facts read_facts(void)
{
	struct result result = read_binary();

	ck_assert_msg(result.progress == PROXY_DONE, "refused: %s", result.header.fault);
	ck_assert_str_eq(result.ends, IN4_ENDS);
	ck_assert(result.header.has_facts);
	return result.header.facts;
}

/* client, verify, and the TLVs of version and name. */
static void add_ssl(unsigned client, unsigned verify, const char *version, const char *name)
{
	unsigned char value[512] = { (unsigned char)client, 0, 0, 0, (unsigned char)verify };
	size_t length = 5, before = binary_length;

	if (version)
		add_tlv(0x21, version, strlen(version));
	if (name)
		add_tlv(0x22, name, strlen(name));
	memcpy(value + length, binary + before, binary_length - before);
	length += binary_length - before;
	binary_length = before;
	add_tlv(0x20, value, length);
}

START_TEST(reads_what_is_said_besides)
{
	struct proxy_facts facts;

	begin_client();
	add_tlv(0x04, "padding", 7);
	add_tlv(0x01, "h2", 2);
	add_tlv(0x02, "www.example.org", 15);
	add_tlv(0x05, "id-1", 4);
	add_ssl(7, 0, "TLSv1.3", "Jo User");
	add_tlv(0xe0, "", 0);
	facts = read_facts();
	ck_assert_str_eq(facts.authority, "www.example.org");
	ck_assert_str_eq(facts.unique_id, "id-1");
	ck_assert_str_eq(facts.ssl_version, "TLSv1.3");
	ck_assert_str_eq(facts.ssl_name, "Jo User");
}
END_TEST

START_TEST(hostile_bytes_are_escaped)
{
	struct proxy_facts facts;

	begin_client();
	add_tlv(0x05, "a\0b\n\\=\x7f\xff ", 9);
	add_tlv(0x02, "\xc3\xa4.example", 10);
	facts = read_facts();
	ck_assert_str_eq(facts.unique_id, "a\\x00b\\n\\\\=\\x7F\\xFF ");
	ck_assert_str_eq(facts.authority, "\\xC3\\xA4.example");
}
END_TEST

/* Who verifies, 0: with success, and what the client did. */
static const struct {
	unsigned client, verify;
	bool has_version, has_name;
} certificates[] = {
	{ 7, 0, true, true },  { 3, 0, true, true },   { 5, 0, true, true },
	{ 1, 0, true, false }, { 0, 0, false, false }, { 2, 0, false, true },
	{ 7, 1, true, false }, { 7, 18, true, false },
};

START_TEST(only_a_verified_certificate_has_a_name)
{
	struct proxy_facts facts;

	begin_client();
	add_ssl(certificates[_i].client, certificates[_i].verify, "TLSv1.2", "root");
	facts = read_facts();
	ck_assert_str_eq(facts.ssl_version, certificates[_i].has_version ? "TLSv1.2" : "");
	ck_assert_str_eq(facts.ssl_name, certificates[_i].has_name ? "root" : "");
}
END_TEST

static const struct {
	unsigned type;
	size_t most;
	size_t offset;
} bounded[] = {
	{ 0x05, 128, offsetof(struct proxy_facts, unique_id) },
	{ 0x02, 255, offsetof(struct proxy_facts, authority) },
};

START_TEST(a_text_has_a_greatest_length)
{
	struct proxy_facts facts;
	char value[300];
	const char *text;

	memset(value, 0xff, sizeof value);
	begin_client();
	add_tlv(bounded[_i].type, value, bounded[_i].most);
	facts = read_facts();
	text = (const char *)&facts + bounded[_i].offset;
	ck_assert_uint_eq(strlen(text), 4 * bounded[_i].most);
	begin_client();
	add_tlv(bounded[_i].type, value, bounded[_i].most + 1);
	expect_refused("a TLV of a length that it can't have");
}
END_TEST

#define TOO_LONG "a TLV that is longer than what holds it"
#define CUT_OFF "a TLV that is cut off"
#define BAD_LENGTH "a TLV of a length that it can't have"
#define TWICE "a TLV that is there twice"

/* Bytes after the addresses. */
static const struct {
	const char *bytes;
	size_t length;
	const char *fault;
} bad_tlvs[] = {
	{ "\2", 1, CUT_OFF },
	{ "\2\0", 2, CUT_OFF },
	{ "\2\0\1", 3, TOO_LONG },
	{ "\2\0\3xy", 5, TOO_LONG },
	{ "\2\xff\xff"
	  "abc",
	  6, TOO_LONG },
	{ "\4\0\0\4", 4, CUT_OFF },
	{ "\4\0\1x\2\0", 6, CUT_OFF },
	{ "\2\0\1x\2\0\1y", 8, TWICE },
	{ "\5\0\0\5\0\0", 6, TWICE },
	{ "\3\0\3abc", 6, BAD_LENGTH },
	{ "\3\0\5abcde", 8, BAD_LENGTH },
	{ "\x20\0\4\1\0\0\0", 7, BAD_LENGTH },
	{ "\x20\0\6\1\0\0\0\0\x21", 9, CUT_OFF },
	{ "\x20\0\7\1\0\0\0\0\x21\0", 10, CUT_OFF },
	{ "\x20\0\x8\1\0\0\0\0\x21\0\1", 11, TOO_LONG },
	{ "\x20\0\x9\1\0\0\0\0\x21\0\2x\4\0\0", 15, TOO_LONG },
	{ "\x20\0\5\1\0\0\0\0\x20\0\5\1\0\0\0\0", 16, TWICE },
	{ "\x20\0\xd\1\0\0\0\0\x22\0\1x\x22\0\1y", 16, TWICE },
};

START_TEST(refuses_a_bad_tlv)
{
	begin_client();
	add(bad_tlvs[_i].bytes, bad_tlvs[_i].length);
	expect_refused(bad_tlvs[_i].fault);
}
END_TEST

/* As slow and simple as it can be (RFC 4960, appendix B). */
static uint32_t checksum_of(const unsigned char *bytes, size_t length)
{
	uint32_t sum = ~UINT32_C(0);

	for (size_t i = 0; i < length; i++) {
		sum ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78 : 0);
	}
	return ~sum;
}

/* Puts the checksum there, where zeros are. */
static void put_checksum(size_t at)
{
	uint32_t sum;

	set_length(binary_length - 16);
	sum = checksum_of(binary, binary_length);
	for (int i = 0; i < 4; i++)
		binary[at + (size_t)i] = (unsigned char)(sum >> (24 - 8 * i));
}

enum { CHECKSUM_AT = 16 + 12 + 6 };

static void add_checked(void)
{
	begin_client();
	add_tlv(0x02, "abc", 3);
	add_tlv(0x03, "\0\0\0\0", 4);
	add_tlv(0x04, "after", 5);
	put_checksum(CHECKSUM_AT + 3);
}

START_TEST(the_checksum_is_checked)
{
	ck_assert_uint_eq(checksum_of((const unsigned char *)"123456789", 9), 0xe3069283);
	add_checked();
	expect_ends(IN4_ENDS);
	for (size_t at = 12; at < CHECKSUM_AT + 15; at++) {
		struct result result;

		if (at == 14 || at == 15 || at == CHECKSUM_AT) /* lengths, and what it is */
			continue;
		add_checked();
		binary[at] ^= 0x40;
		result = read_binary();
		ck_assert_msg(result.progress == PROXY_REFUSED, "byte %zu was changed", at);
	}
}
END_TEST

START_TEST(the_greatest_header_takes_no_more_memory)
{
	static unsigned char zeros[65535];
	struct proxy_facts facts;
	size_t before;

	begin_client();
	add_tlv(0x05, "first", 5);
	before = binary_length - 16 + 3 + 3 + 4;
	add_tlv(0x04, zeros, 65535 - before);
	add_tlv(0x02, "last", 4);
	ck_assert_uint_eq(binary_length, 16 + 65535);
	facts = read_facts();
	ck_assert_str_eq(facts.unique_id, "first");
	ck_assert_str_eq(facts.authority, "last");
}
END_TEST

START_TEST(many_small_tlvs_are_read)
{
	begin_client();
	while (binary_length + 3 <= 16 + 65535)
		add_tlv(0xee, "", 0);
	expect_ends(IN4_ENDS);
}
END_TEST

START_TEST(a_second_header_is_data)
{
	static const char two[] = "PROXY TCP4 192.0.2.7 198.51.100.1 4000 80\r\n"
				  "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n";
	struct result result = read_header(ANY, two, sizeof two - 1);

	expect_client(&result, 43, IN4_ENDS);
	begin_client();
	memcpy(binary + binary_length + 4, binary, binary_length);
	expect_ends(IN4_ENDS);
}
END_TEST

/* --- writing ---------------------------------------------------------------------------------- */

static const struct {
	const char *source, *destination; /* NULL: unknown */
	const char *line, *ends;
} written[] = {
	{ "192.0.2.7", "198.51.100.1", "PROXY TCP4 192.0.2.7 198.51.100.1 4000 80\r\n", IN4_ENDS },
	{ "2001:db8::7", "::1", "PROXY TCP6 2001:db8::7 ::1 4000 80\r\n",
	  "2001:db8::7 4000 ::1 80" },
	{ "192.0.2.7", "::1", "PROXY TCP6 ::ffff:192.0.2.7 ::1 4000 80\r\n",
	  "192.0.2.7 4000 ::1 80" },
	{ "::1", "192.0.2.7", "PROXY TCP6 ::1 ::ffff:192.0.2.7 4000 80\r\n",
	  "::1 4000 192.0.2.7 80" },
	{ "fe80::1%1", "fe80::2%1", "PROXY TCP6 fe80::1 fe80::2 4000 80\r\n",
	  "fe80::1 4000 fe80::2 80" },
	{ LONG_IN6, LONG_IN6, "PROXY TCP6 " LONG_IN6 " " LONG_IN6 " 4000 80\r\n",
	  LONG_IN6 " 4000 " LONG_IN6 " 80" },
	{ NULL, "::1", "PROXY UNKNOWN\r\n", "" },
	{ "::1", NULL, "PROXY UNKNOWN\r\n", "" },
	{ NULL, NULL, "PROXY UNKNOWN\r\n", "" },
};

static struct address address_of(const char *text, uint16_t port)
{
	struct address address = { .length = 0 };

	if (text)
		ck_assert_int_eq(address_parse(&address, text, port), 0);
	return address;
}

START_TEST(writes_a_header)
{
	struct address source = address_of(written[_i].source, 4000);
	struct address destination = address_of(written[_i].destination, 80);
	unsigned char bytes[PROXY_WRITTEN_MAX + 1];
	size_t length = proxy_header_write(PROXY_V1, &source, &destination, bytes);
	struct result result;

	ck_assert_uint_eq(length, strlen(written[_i].line));
	ck_assert_mem_eq(bytes, written[_i].line, length);
	result = read_header(PROXY_V1, bytes, length);
	expect_client(&result, length, written[_i].ends);
	length = proxy_header_write(PROXY_V2, &source, &destination, bytes);
	result = read_header(PROXY_V2, bytes, length);
	expect_client(&result, length, written[_i].ends);
}
END_TEST

Suite *proxy_header_suite(void)
{
	Suite *suite = suite_create("proxy_header");
	TCase *tcase = tcase_create("proxy_header");

	tcase_add_checked_fixture(tcase, place_make, place_remove);
	tcase_add_loop_test(tcase, reads_a_line, 0, ROWS(lines));
	tcase_add_loop_test(tcase, refuses_a_line, 0, ROWS(bad_lines));
	tcase_add_test(tcase, a_line_ends_within_107_bytes);
	tcase_add_test(tcase, takes_only_its_versions);
	tcase_add_test(tcase, reads_addresses);
	tcase_add_loop_test(tcase, without_a_client_it_is_the_balancer, 0, ROWS(of_the_balancer));
	tcase_add_loop_test(tcase, refuses_what_it_does_not_know, 0, ROWS(bad_binaries));
	tcase_add_test(tcase, refuses_a_wrong_signature);
	tcase_add_test(tcase, reads_what_is_said_besides);
	tcase_add_test(tcase, hostile_bytes_are_escaped);
	tcase_add_loop_test(tcase, only_a_verified_certificate_has_a_name, 0, ROWS(certificates));
	tcase_add_loop_test(tcase, a_text_has_a_greatest_length, 0, ROWS(bounded));
	tcase_add_loop_test(tcase, refuses_a_bad_tlv, 0, ROWS(bad_tlvs));
	tcase_add_test(tcase, the_checksum_is_checked);
	tcase_add_test(tcase, the_greatest_header_takes_no_more_memory);
	tcase_add_test(tcase, many_small_tlvs_are_read);
	tcase_add_test(tcase, a_second_header_is_data);
	tcase_add_loop_test(tcase, writes_a_header, 0, ROWS(written));
	suite_add_tcase(suite, tcase);
	return suite;
}
