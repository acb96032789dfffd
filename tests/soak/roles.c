/* What the clients of the soak do, and what is right for each. */
#include "soak/crowd.h"
#include "soak/services.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { USUAL = 4000, ONE_LINE = 64, CHARGEN_HEARD = 5000, CHARGEN_ANSWER = 512 };

/* --- saying ----------------------------------------------------------------------------------- */

/* Bytes that no other client sends. */
static void say_bytes(struct client *client, size_t length)
{
	uint32_t state = client->number * 2654435761U + 1;

	for (size_t i = 0; i < length; i++) {
		state = state * 1664525 + 1013904223;
		client->says[i] = (char)(state >> 24);
	}
	client->length = length;
}

static void say_text(struct client *client, const char *text)
{
	client->length = strlen(text);
	memcpy(client->says, text, client->length);
}

static void say_some(struct client *client)
{
	say_bytes(client, 1 + client->number * 7919 % USUAL);
}

static void say_little(struct client *client)
{
	say_bytes(client, 1 + client->number % ONE_LINE);
}

static void say_much(struct client *client)
{
	say_bytes(client, SAYS_MAX);
}

static void say_line(struct client *client)
{
	char line[ONE_LINE];

	snprintf(line, sizeof line, "client %u\n", client->number);
	say_text(client, line);
}

/* --- hearing ---------------------------------------------------------------------------------- */

static bool hears(const struct client *client, const char *text)
{
	return client->received == strlen(text) && memcmp(client->hears, text, strlen(text)) == 0;
}

static bool hears_nothing(const struct client *client)
{
	return client->received == 0;
}

static bool hears_itself(const struct client *client)
{
	return client->received == client->length &&
	       memcmp(client->hears, client->says, client->length) == 0;
}

/* 21 NOV 2026 09:28:06 UTC, and the end of a line. */
static bool hears_daytime(const struct client *client)
{
	static const char form[] = "00 AAA 0000 00:00:00 ";
	size_t length = sizeof form - 1;

	for (size_t i = 0; i < length && i < client->received; i++) {
		unsigned char heard = (unsigned char)client->hears[i];

		if (form[i] == '0'   ? !isdigit(heard)
		    : form[i] == 'A' ? !isupper(heard)
				     : heard != form[i])
			return false;
	}
	return client->received > length + 2 &&
	       memcmp(client->hears + client->received - 2, "\r\n", 2) == 0;
}

/* Seconds since 1900 (RFC 868). */
static bool hears_time(const struct client *client)
{
	static const uint32_t epoch = 2208988800U;
	uint32_t heard, now = (uint32_t)time(NULL) + epoch;

	memcpy(&heard, client->hears, sizeof heard);
	heard = ntohl(heard);
	return client->received == sizeof heard && now - heard <= 600;
}

static char chargen_byte(size_t place)
{
	enum { RING = 95, CHARACTERS = 72, LINE = CHARACTERS + 2 };
	size_t line = place / LINE, column = place % LINE;

	if (column >= CHARACTERS)
		return column == CHARACTERS ? '\r' : '\n';
	return (char)(' ' + (line + column) % RING);
}

static bool hears_characters(const struct client *client)
{
	size_t wanted = client->role->is_datagram ? CHARGEN_ANSWER : CHARGEN_HEARD;

	for (size_t i = 0; i < client->received; i++)
		if (client->hears[i] != chargen_byte(i))
			return false;
	return client->received == wanted;
}

static bool hears_hello(const struct client *client)
{
	return hears(client, "hello\n");
}

static bool hears_banners(const struct client *client)
{
	return hears(client, "one\ntwo\nhello\n");
}

static bool hears_ready(const struct client *client)
{
	return hears(client, "ready\n");
}

static bool hears_count(const struct client *client)
{
	unsigned long sum = 0;
	char text[ONE_LINE];

	for (size_t i = 0; i < client->length; i++)
		sum += (unsigned char)client->says[i];
	snprintf(text, sizeof text, "%zu bytes, sum %lu\n", client->length, sum);
	return hears(client, text);
}

static bool hears_answer(const struct client *client)
{
	enum { ANSWER = 8192 };

	for (size_t i = 0; i < client->received; i++)
		if (client->hears[i] != 'a')
			return false;
	return client->received == ANSWER;
}

/* pid=N peer=127.0.0.1 and what was sent; the first sender's address stands in each answer. */
static bool hears_server(const struct client *client)
{
	const char *rest = memmem(client->hears, client->received, "peer=127.0.0.1 ", 15);
	size_t left = rest ? client->received - (size_t)(rest + 15 - client->hears) : 0;

	return memcmp(client->hears, "pid=", 4) == 0 && left == client->length &&
	       memcmp(rest + 15, client->says, left) == 0;
}

/* --- tcpmux ----------------------------------------------------------------------------------- */

static void say_help(struct client *client)
{
	say_text(client, "help\r\n");
}

static bool hears_help(const struct client *client)
{
	return hears(client, "muxed\r\nmuxed-plus\r\n") || hears(client, "muxed-plus\r\nmuxed\r\n");
}

static void say_muxed(struct client *client)
{
	say_text(client, "muxed\r\n");
}

static bool hears_welcome(const struct client *client)
{
	return hears(client, "+Welcome\r\n");
}

static void say_muxed_plus(struct client *client)
{
	say_text(client, "muxed-plus\r\n");
}

static bool hears_go(const struct client *client)
{
	return hears(client, "+Go\r\nhello\n");
}

static void say_unknown(struct client *client)
{
	say_text(client, "nothing\r\n");
}

static bool hears_not_found(const struct client *client)
{
	return hears(client, "-Service name not found\r\n");
}

/* --- terminals -------------------------------------------------------------------------------- */

static bool hears_greeting(const struct client *client)
{
	char text[ONE_LINE + 32];

	snprintf(text, sizeof text, "name: hello %.*s", (int)client->length, client->says);
	return hears(client, text);
}

/* --- balancers -------------------------------------------------------------------------------- */

static unsigned last_part(const struct client *client)
{
	return client->number % 250 + 1;
}

static void say_v1(struct client *client)
{
	char line[128];

	snprintf(line, sizeof line, "PROXY TCP4 192.0.2.%u 198.51.100.1 4000 80\r\n",
		 last_part(client));
	say_text(client, line);
}

static void say_v2(struct client *client)
{
	static const char start[] = "\r\n\r\n\0\r\nQUIT\n"
				    "\x21\x11\0\x0c"
				    "\xc0\0\x02?"      /* 192.0.2.? */
				    "\xc6\x33\x64\x01" /* 198.51.100.1 */
				    "\x0f\xa0\0\x50";  /* 4000, 80 */

	client->length = sizeof start - 1;
	memcpy(client->says, start, client->length);
	client->says[19] = (char)last_part(client);
}

static bool hears_client(const struct client *client)
{
	char text[ONE_LINE];

	snprintf(text, sizeof text, "192.0.2.%u\n", last_part(client));
	return hears(client, text);
}

static void say_blocked(struct client *client)
{
	say_text(client, "PROXY TCP4 203.0.113.9 198.51.100.1 4000 80\r\n");
}

static void say_no_header(struct client *client)
{
	say_text(client, "GET / HTTP/1.0\r\n\r\n");
}

static bool hears_loopback(const struct client *client)
{
	return hears(client, "127.0.0.1\n");
}

/* --- the roles -------------------------------------------------------------------------------- */

const struct role roles[] = {
	/* The daemon answers by itself. */
	{ "some bytes", "echo", .share = 100, .manner = FINISHES, .say = say_some,
	  .is_right = hears_itself },
	{ "over IPv6", "echo", .share = 30, .host = "::1", .manner = FINISHES, .say = say_some,
	  .is_right = hears_itself },
	{ "many bytes", "echo", .share = 10, .manner = FINISHES, .say = say_much,
	  .is_right = hears_itself },
	{ "from a banned address", "echo", .share = 20, .from = BANNED, .fate = REFUSED,
	  .reason = "ban", .say = say_little },
	{ "resets at once", "echo-resets", .share = 20, .fate = UNHEARD, .manner = LEAVES,
	  .say = say_some },
	{ "waits through pauses", "echo-paused", .share = 40, .most = 30, .manner = FINISHES,
	  .say = say_some, .is_right = hears_itself },
	{ "stays too long", "echo-minute", .share = 4, .most = 20, .say = say_little,
	  .is_right = hears_itself },
	{ "some bytes", "discard", .share = 40, .manner = FINISHES, .say = say_some,
	  .is_right = hears_nothing },
	{ "reads the line", "daytime", .share = 50, .is_right = hears_daytime },
	{ "reads the number", "time", .share = 50, .is_right = hears_time },
	{ "reads a bit", "chargen", .share = 30, .enough = CHARGEN_HEARD,
	  .is_right = hears_characters },
	{ "a datagram", "echo-datagrams", .share = 60, .is_datagram = true, .say = say_little,
	  .is_right = hears_itself },
	{ "a stranger's datagram", "echo-datagrams", .share = 10, .from = STRANGER,
	  .is_datagram = true, .fate = REFUSED, .reason = "address", .manner = LEAVES,
	  .say = say_little },
	{ "a datagram", "discard-datagrams", .share = 20, .is_datagram = true, .manner = LEAVES,
	  .say = say_little, .is_right = hears_nothing },
	{ "a datagram", "daytime-datagrams", .share = 30, .is_datagram = true, .say = say_little,
	  .is_right = hears_daytime },
	{ "a datagram", "time-datagrams", .share = 30, .is_datagram = true, .say = say_little,
	  .is_right = hears_time },
	{ "a datagram", "chargen-datagrams", .share = 20, .is_datagram = true, .say = say_little,
	  .is_right = hears_characters },
	{ "help", "tcpmux", .share = 10, .say = say_help, .is_right = hears_help },
	{ "a service", "tcpmux", .behind = "muxed", .share = 15, .say = say_muxed,
	  .is_right = hears_welcome },
	{ "a service with +Go", "tcpmux", .behind = "muxed-plus", .share = 15,
	  .say = say_muxed_plus, .is_right = hears_go },
	{ "an unknown service", "tcpmux", .share = 10, .say = say_unknown,
	  .is_right = hears_not_found },

	/* Some are refused. */
	{ "a friend", "friends", .share = 20, .manner = FINISHES, .say = say_some,
	  .is_right = hears_itself },
	{ "a stranger", "friends", .share = 20, .from = STRANGER, .fate = REFUSED,
	  .reason = "address", .say = say_little },
	{ "anybody", "open", .share = 20, .from = "127.0.0.4", .manner = FINISHES, .say = say_some,
	  .is_right = hears_itself },
	{ "in the file of the list", "open", .share = 20, .from = STRANGER, .fate = REFUSED,
	  .reason = "address", .say = say_little },
	{ "one of few", "few", .share = 20, .fate = EITHER, .reason = "service_limit",
	  .manner = FINISHES, .say = say_some, .is_right = hears_itself },
	{ "in the queue", "queue", .share = 20, .most = 20, .manner = FINISHES, .say = say_some,
	  .is_right = hears_itself },
	{ "one of a source", "mine", .share = 20, .fate = EITHER, .reason = "per_source_limit",
	  .manner = FINISHES, .say = say_some, .is_right = hears_itself },
	{ "one of a second", "rate", .share = 25, .fate = EITHER,
	  .reason = "connections per second", .manner = FINISHES, .say = say_some,
	  .is_right = hears_itself },
	{ "waits for its second", "slow", .share = 15, .most = 40, .manner = FINISHES,
	  .say = say_some, .is_right = hears_itself },
	{ "one of a source's second", "source-rate", .share = 15, .fate = EITHER,
	  .reason = "source rate", .manner = FINISHES, .say = say_some, .is_right = hears_itself },

	/* Behind a balancer. */
	{ "a header of version 1", "balanced", .share = 20, .from = BALANCER, .say = say_v1,
	  .is_right = hears_client },
	{ "a header of version 2", "balanced", .share = 20, .from = BALANCER, .say = say_v2,
	  .is_right = hears_client },
	{ "a blocked client", "balanced", .share = 10, .from = BALANCER, .fate = REFUSED,
	  .reason = "address", .say = say_blocked },
	{ "no header", "balanced", .share = 5, .from = BALANCER, .fate = REFUSED, .reason = "proxy",
	  .say = say_no_header },
	{ "no balancer", "balanced", .share = 10, .fate = REFUSED, .reason = "address",
	  .say = say_v1 },

	/* Programs. */
	{ "reads", "hello", .share = 120, .is_right = hears_hello },
	{ "some bytes", "count", .share = 50, .manner = FINISHES, .say = say_some,
	  .is_right = hears_count },
	{ "resets at once", "resets", .share = 15, .fate = UNHEARD, .manner = LEAVES },
	{ "can't be executed", "broken", .share = 10, .fate = REFUSED, .reason = "exec" },
	{ "stays too long", "minute", .share = 4, .most = 20, .is_right = hears_ready },
	{ "says nothing more", "idle", .share = 4, .most = 20, .say = say_little,
	  .is_right = hears_itself },
	{ "complains", "complains", .share = 10, .is_right = hears_hello },
	{ "is cleaned up after", "ended", .share = 10, .is_right = hears_hello },
	{ "reads banners", "banners", .share = 10, .is_right = hears_banners },
	{ "resets a session", "gone", .share = 15, .enough = 6, .is_right = hears_ready },
	{ "sends what nobody reads", "linger", .share = 25, .manner = FINISHES, .say = say_much,
	  .is_right = hears_answer },
	{ "a datagram", "wait", .share = 20, .most = 20, .is_datagram = true, .say = say_line,
	  .is_right = hears_server },
	{ "a name", "terminal", .share = 20, .say = say_line, .is_right = hears_greeting },
	{ "some bytes", "jail", .share = 6, .most = 4, .manner = FINISHES, .say = say_some,
	  .is_right = hears_count },

	/* Redirections. */
	{ "some bytes", "redirect", .behind = "target", .share = 40, .manner = FINISHES,
	  .say = say_some, .is_right = hears_itself },
	{ "who it is", "redirect-proxied", .behind = "target-proxied", .share = 10,
	  .is_right = hears_loopback },
};

const size_t role_count = sizeof roles / sizeof roles[0];
