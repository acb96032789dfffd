#include "monitor/environment.h"

#include "base/digits.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum {
	VARIABLES_MAX = 8,       /* those about the connection */
	PROXY_VARIABLES_MAX = 6, /* those about a balancer */
	FACT_VARIABLES_MAX = 6,  /* those about the session */
	VARIABLE_SIZE = 24 + ADDRESS_TEXT_SIZE,
	PROXY_FACTS_SIZE = sizeof(struct proxy_facts) + 4 * 24, /* with their names */
};

static size_t variables_max(const struct proxied *proxied, bool has_facts)
{
	return VARIABLES_MAX + (proxied ? PROXY_VARIABLES_MAX : 0) +
	       (has_facts ? FACT_VARIABLES_MAX : 0);
}

static size_t pointers(const struct service_settings *settings, const struct proxied *proxied,
		       bool has_facts)
{
	return settings->program->environment_count + variables_max(proxied, has_facts) + 1;
}

/* The id of a service may be longer than other values. */
size_t environment_size(const struct service_settings *settings, const struct proxied *proxied,
			bool has_facts)
{
	return pointers(settings, proxied, has_facts) * sizeof(char *) +
	       variables_max(proxied, has_facts) * VARIABLE_SIZE +
	       (proxied ? PROXY_FACTS_SIZE : 0) + (has_facts ? strlen(settings->id) : 0);
}

/* Up to end; returns where the next part goes. */
static char *add_part(char *text, const char *end, const char *part)
{
	while (*part && text < end)
		*text++ = *part++;
	return text;
}

static void add_variable(char **variables, size_t *count, char **text, const char *prefix,
			 const char *name, const char *value)
{
	const char *end = *text + VARIABLE_SIZE - 1;
	char *at = add_part(*text, end, prefix);

	at = add_part(at, end, name);
	at = add_part(at, end, "=");
	at = add_part(at, end, value);
	*at = '\0';
	variables[(*count)++] = *text;
	*text = at + 1;
}

static void add_number(char **variables, size_t *count, char **text, const char *name,
		       uint64_t number)
{
	char digits[DIGITS_SIZE];

	digits_write(digits, number);
	add_variable(variables, count, text, "", name, digits);
}

/* As $? is in a shell. */
static unsigned shell_status(int status)
{
	return WIFSIGNALED(status) ? 128 + (unsigned)WTERMSIG(status)
				   : (unsigned)WEXITSTATUS(status);
}

static void add_end_of_session(char **variables, size_t *count, char **text,
			       const struct service_settings *settings,
			       const struct session_facts *facts)
{
	variables[(*count)++] = *text;
	*text += sprintf(*text, "SESSION_SERVICE=%s", settings->id) + 1;
	add_number(variables, count, text, "SESSION_STATUS", shell_status(facts->status));
	add_number(variables, count, text, "SESSION_DURATION", facts->seconds);
	add_variable(variables, count, text, "", "SESSION_REASON", end_reason_text(facts->reason));
}

static void add_session(char **variables, size_t *count, char **text,
			const struct service_settings *settings, const struct session_facts *facts)
{
	char id[SESSION_ID_SIZE];

	add_variable(variables, count, text, "", "SESSION_ID", session_id_text(facts->id, id));
	if (facts->has_slot)
		add_number(variables, count, text, "SESSION_SLOT", facts->slot);
	if (facts->has_ended)
		add_end_of_session(variables, count, text, settings, facts);
}

static void add_end(char **variables, size_t *count, char **text, const char *prefix,
		    const char *ip, const char *port, const struct address *address)
{
	char host[ADDRESS_TEXT_SIZE], digits[DIGITS_SIZE];

	digits_write(digits, address_port(address));
	add_variable(variables, count, text, prefix, ip, address_text(address, host));
	add_variable(variables, count, text, prefix, port, digits);
}

/* Texts of facts have a room of their own, PROXY_FACTS_SIZE. */
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
	char host[ADDRESS_TEXT_SIZE], port[DIGITS_SIZE];

	digits_write(port, address_port(&proxied->proxy));
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
			const struct program_client *client, const struct session_facts *facts)
{
	const struct address *peer = client->peer;
	const char *protocol = settings->socket_type == SOCK_DGRAM ? "UDP" : "TCP";
	char host[ADDRESS_TEXT_SIZE];
	char **variables = room, *text = room;
	size_t count = settings->program->environment_count;

	text += pointers(settings, client->proxied, facts != NULL) * sizeof *variables;
	memcpy(variables, settings->program->environment, count * sizeof *variables);
	address_text(peer, host);
	add_variable(variables, &count, &text, "", "REMOTE_HOST", host);
	if (settings->program->passenv.is_set && settings->program->passenv.count == 0)
		goto done;
	add_variable(variables, &count, &text, "", "PROTO", protocol);
	add_end(variables, &count, &text, protocol, "LOCALIP", "LOCALPORT", client->local);
	if (address_is_known(peer)) {
		add_variable(variables, &count, &text, "", "REMOTE_ADDR", host);
		add_number(variables, &count, &text, "REMOTE_PORT", address_port(peer));
		add_end(variables, &count, &text, protocol, "REMOTEIP", "REMOTEPORT", peer);
	}
	if (client->proxied)
		add_proxied(variables, &count, &text, client->proxied);
done:
	if (facts)
		add_session(variables, &count, &text, settings, facts);
	variables[count] = NULL;
	return variables;
}
