#include "config/advice_addresses.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- access lists ----------------------------------------------------------------------- */

/* True for a word that is part of a dotted quad, or has leading zeros: inet_aton(3)
 * gives it another meaning than one would expect. */
static bool is_odd_address(const char *text)
{
	unsigned dots = 0;
	bool octal = false;

	if (text[strspn(text, "0123456789.")])
		return false;
	for (const char *c = text; *c; c++) {
		bool begins = c == text || c[-1] == '.';

		dots += *c == '.';
		octal |= begins && *c == '0' && c[1] >= '0' && c[1] <= '9';
	}
	return dots < 3 || octal;
}

/* Writes the network that was probably meant by an odd address: its numbers as written,
 * with a prefix of their length. */
static const char *meant_network(const char *text, char meant[ADDRESS_TEXT_SIZE])
{
	unsigned octets[4] = { 0 };
	int count = sscanf(text, "%3u.%3u.%3u.%3u", &octets[0], &octets[1], &octets[2], &octets[3]);

	snprintf(meant, ADDRESS_TEXT_SIZE, "%u.%u.%u.%u/%d", octets[0], octets[1], octets[2],
		 octets[3], 8 * count);
	return meant;
}

/* 0 alone is everybody, in any notation. */
static void advise_of_odd_address(const struct access_rule *rule, struct problems *problems)
{
	char read[ADDRESS_TEXT_SIZE], meant[ADDRESS_TEXT_SIZE];

	if (rule->kind == RULE_PREFIX && rule->prefix.length > 0 && is_odd_address(rule->text))
		problem_add(problems, ADVICE, rule->file, rule->line,
			    "\"%s\" is read as %s; if %s is meant, write that", rule->text,
			    prefix_text(&rule->prefix, read), meant_network(rule->text, meant));
}

/* An address with /0, which is every address. */
static void advise_of_no_bits(const struct access_rule *rule, struct problems *problems)
{
	bool has_address = rule->text[strspn(rule->text, "0.:")] != '/';

	if (rule->kind == RULE_PREFIX && rule->prefix.length == 0 && has_address &&
	    strchr(rule->text, '/'))
		problem_add(problems, ADVICE, rule->file, rule->line,
			    "\"%s\" is everybody, as no bit of the address counts; if that is "
			    "meant write %s, otherwise the length of the network",
			    rule->text, rule->prefix.family == AF_INET ? "0.0.0.0/0" : "::/0");
}

/* A word with a special meaning in hosts.allow, which is a host name here. */
static void advise_of_borrowed_word(const struct access_rule *rule, struct problems *problems)
{
	static const char *const words[] = { "LOCAL", "KNOWN", "UNKNOWN", "PARANOID", "EXCEPT" };

	if (rule->kind != RULE_HOST)
		return;
	if (strcasecmp(rule->text, "ALL") == 0 || strcasecmp(rule->text, "ANY") == 0)
		problem_add(problems, ADVICE, rule->file, rule->line,
			    "\"%s\" is taken for the name of a host; for everybody write 0.0.0.0/0 "
			    "::/0",
			    rule->text);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcasecmp(rule->text, words[i]) == 0)
			problem_add(problems, ADVICE, rule->file, rule->line,
				    "\"%s\" is taken for the name of a host; it has a meaning "
				    "only in hosts.allow and hosts.deny",
				    rule->text);
}

void advise_of_odd_words(const struct access_list *list, struct problems *problems)
{
	for (size_t i = 0; i < list->count; i++) {
		advise_of_odd_address(&list->rules[i], problems);
		advise_of_no_bits(&list->rules[i], problems);
		advise_of_borrowed_word(&list->rules[i], problems);
	}
}

/* --- bind ------------------------------------------------------------------------------ */

/* True for the name of an interface of this host, or of most systems. */
static bool is_interface(const char *text)
{
	return if_nametoindex(text) != 0 || (strncmp(text, "eth", 3) == 0 && text[3] &&
					     !text[3 + strspn(text + 3, "0123456789")]);
}

static bool lacks_scope(const struct address *address)
{
	return address->any.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LINKLOCAL(&address->in6.sin6_addr) && address->in6.sin6_scope_id == 0;
}

static void advise_of_bind_word(const char *text, struct place place, struct problems *problems)
{
	struct address address;

	if (address_parse(&address, text, 0) < 0) {
		if (is_interface(text))
			problem_add(problems, ADVICE, place.file, place.line,
				    "bind: \"%s\" is taken for the name of a host, not of an "
				    "interface; write the interface's address",
				    text);
	} else if (lacks_scope(&address)) {
		problem_add(problems, ADVICE, place.file, place.line,
			    "bind: the link-local address %s can't be bound without its interface; "
			    "write %s%%INTERFACE",
			    text, text);
	}
}

void advise_of_bind_words(const struct service_settings *service, struct place place,
			  struct problems *problems)
{
	for (size_t i = 0; i < service->bind.count; i++)
		advise_of_bind_word(service->bind.list[i], place, problems);
}
