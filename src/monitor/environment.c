#include "monitor/environment.h"

#include <stdio.h>
#include <string.h>

enum {
	VARIABLES_MAX = 8 + 6, /* those of environment_fill */
	VARIABLE_SIZE = 24 + ADDRESS_TEXT_SIZE,
	FACTS_SIZE = sizeof(struct proxy_facts) + 4 * 24, /* with their names */
};

static size_t pointers(const struct service_settings *settings)
{
	return settings->environment_count + VARIABLES_MAX + 1;
}

size_t environment_size(const struct service_settings *settings, const struct proxied *proxied)
{
	return pointers(settings) * sizeof(char *) + VARIABLES_MAX * VARIABLE_SIZE +
	       (proxied ? FACTS_SIZE : 0);
}

static void add_variable(char **variables, size_t *count, char **text, const char *prefix,
			 const char *name, const char *value)
{
	variables[(*count)++] = *text;
	*text += snprintf(*text, VARIABLE_SIZE, "%s%s=%s", prefix, name, value) + 1;
}

static void add_end(char **variables, size_t *count, char **text, const char *prefix,
		    const char *which, const struct address *address)
{
	char host[ADDRESS_TEXT_SIZE], name[24], port[8];

	snprintf(name, sizeof name, "%sIP", which);
	add_variable(variables, count, text, prefix, name, address_text(address, host));
	snprintf(name, sizeof name, "%sPORT", which);
	snprintf(port, sizeof port, "%u", address_port(address));
	add_variable(variables, count, text, prefix, name, port);
}

/* Texts of facts have a room of their own, FACTS_SIZE. */
static void add_fact(char **variables, size_t *count, char **text, const char *name,
		     const char *fact)
{
	if (fact[0] == '\0')
		return;
	variables[(*count)++] = *text;
	*text += sprintf(*text, "PROXY_%s=%s", name, fact) + 1;
}

static void add_proxied(char **variables, size_t *count, char **text, const struct proxied *proxied)
{
	const struct proxy_facts *facts = &proxied->facts;
	char host[ADDRESS_TEXT_SIZE], port[8];

	snprintf(port, sizeof port, "%u", address_port(&proxied->proxy));
	add_variable(variables, count, text, "PROXY_", "ADDR", address_text(&proxied->proxy, host));
	add_variable(variables, count, text, "PROXY_", "PORT", port);
	add_fact(variables, count, text, "UNIQUE_ID", facts->unique_id);
	add_fact(variables, count, text, "AUTHORITY", facts->authority);
	add_fact(variables, count, text, "SSL_VERSION", facts->ssl_version);
	add_fact(variables, count, text, "SSL_CN", facts->ssl_name);
}

/* REMOTE_HOST as xinetd has it, REMOTE_ADDR and REMOTE_PORT as CGI has them (RFC 3875), PROTO
 * and the others as UCSPI has them. A service with an empty passenv gets only the first. */
char **environment_fill(void *room, const struct service_settings *settings,
			const struct address *peer, const struct address *local,
			const struct proxied *proxied)
{
	const char *protocol = settings->socket_type == SOCK_DGRAM ? "UDP" : "TCP";
	char host[ADDRESS_TEXT_SIZE], port[8];
	char **variables = room, *text = room;
	size_t count = settings->environment_count;

	text += pointers(settings) * sizeof *variables;
	memcpy(variables, settings->environment, count * sizeof *variables);
	address_text(peer, host);
	add_variable(variables, &count, &text, "", "REMOTE_HOST", host);
	if (settings->passenv.is_set && settings->passenv.count == 0)
		goto done;
	add_variable(variables, &count, &text, "", "PROTO", protocol);
	add_end(variables, &count, &text, protocol, "LOCAL", proxied ? &proxied->local : local);
	if (address_is_known(peer)) {
		snprintf(port, sizeof port, "%u", address_port(peer));
		add_variable(variables, &count, &text, "", "REMOTE_ADDR", host);
		add_variable(variables, &count, &text, "", "REMOTE_PORT", port);
		add_end(variables, &count, &text, protocol, "REMOTE", peer);
	}
	if (proxied)
		add_proxied(variables, &count, &text, proxied);
done:
	variables[count] = NULL;
	return variables;
}
