#include "frontend/facts.h"

#include "base/clock.h"
#include "base/prefix_hash.h"
#include "base/tcp_state.h"
#include "frontend/adoption.h"
#include "frontend/last_load.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t daemon_since;

void facts_set_start(uint64_t since)
{
	daemon_since = since;
}

uint64_t facts_uptime(void)
{
	return clock_now() > daemon_since ? clock_now() - daemon_since : 0;
}

/* --- services ------------------------------------------------------------------------------- */

static unsigned seconds_left(const struct timer *timer)
{
	if (!timer_is_pending(timer) || timer->due < clock_now())
		return 0;
	return (unsigned)((timer->due - clock_now() + 999) / 1000);
}

struct address facts_bound_address(const struct listener *listener)
{
	struct address address;

	if (address_port(&listener->endpoint.address) == 0 && listener_is_open(listener) &&
	    address_of_socket(listener->watch.fd, &address) == 0)
		return address;
	return listener->endpoint.address;
}

static void say_unbound(const struct service *service, char text[static FACTS_WHY_SIZE])
{
	const struct listener *listener;
	char address[ADDRESS_TEXT_SIZE];

	snprintf(text, FACTS_WHY_SIZE, "%s",
		 service_awaits_names(service) ? "a name in bind has no address yet"
					       : "its sockets are being opened");
	LIST_FOREACH(listener, &service->listeners, link)
		if (!listener_is_open(listener) && listener->error) {
			snprintf(text, FACTS_WHY_SIZE, "%s port %u: %s, %u attempts",
				 address_text(&listener->endpoint.address, address),
				 address_port(&listener->endpoint.address),
				 strerror(listener->error), listener->attempts);
			return;
		}
}

const char *facts_why(const struct service *service, char text[static FACTS_WHY_SIZE])
{
	static const char *const texts[] = {
		[SERVICE_LISTENING] = "",
		[SERVICE_FULL] = "as many run as instances allows; others wait",
		[SERVICE_THROTTLED] = "faster than cps; others wait",
		[SERVICE_SUSPENDED] = "faster than cps; closed for",
		[SERVICE_PAUSED] = "by -pause; clients wait for at most",
		[SERVICE_WAITING] = "its server has the socket",
		[SERVICE_RETRYING] = "",
		[SERVICE_DRAINING] = "removed; its sessions go on",
	};
	enum service_state state = service_state(service);

	if (state == SERVICE_RETRYING)
		say_unbound(service, text);
	else if (state == SERVICE_SUSPENDED || state == SERVICE_PAUSED)
		snprintf(text, FACTS_WHY_SIZE, "%s %u s", texts[state],
			 seconds_left(state == SERVICE_PAUSED ? &service->pause
							      : &service->resume));
	else
		snprintf(text, FACTS_WHY_SIZE, "%s", texts[state]);
	return text;
}

unsigned facts_missing(void (*visit)(const struct service_settings *service, void *context),
		       void *context)
{
	const struct generation *generation = adoption_generation();
	unsigned count = 0;

	for (uint32_t i = 0; generation && i < generation->count; i++)
		if (!adoption_service(i)) {
			count++;
			if (visit)
				visit(generation->services[i], context);
		}
	return count;
}

bool facts_all_up(void)
{
	const struct service *service;

	if (last_load()->left_out > 0 || facts_missing(NULL, NULL) > 0)
		return false;
	TAILQ_FOREACH(service, &services, link)
		if (!service->is_draining && !service_is_up(service))
			return false;
	return true;
}

/* --- sessions ------------------------------------------------------------------------------- */

const char *facts_session_state(const struct session *session)
{
	static const char *const texts[] = {
		[SESSION_PENDING] = "arriving", [SESSION_STARTING] = "starting",
		[SESSION_SERVING] = "serving",  [SESSION_ENDING] = "ending",
		[SESSION_CLOSING] = "closing",
	};

	return texts[session->state];
}

struct session_facts facts_of_session(const struct session *session)
{
	struct session_facts facts = { .age_ms = clock_now() - session->opened };
	struct tcp_state state;

	if (session->fd < 0 || session->origin || tcp_state_read(session->fd, &state) < 0)
		return facts;
	facts.has_traffic = true;
	facts.received = state.received - (state.peer_is_done && state.received > 0);
	facts.sent = state.written;
	facts.idle_ms = state.data_ms < facts.age_ms ? state.data_ms : facts.age_ms;
	return facts;
}

/* --- sources -------------------------------------------------------------------------------- */

static int compare_prefixes(const void *one, const void *other)
{
	return memcmp(one, other, PREFIX_KEY_SIZE);
}

/* The sources of all sessions, to be freed; NULL: out of memory, or there are none. */
static struct prefix *list_sources(size_t *count)
{
	struct prefix *list = calloc(session_count() + 1, sizeof *list);
	const struct service *service;
	const struct session *session;

	*count = 0;
	if (!list)
		return NULL;
	TAILQ_FOREACH(service, &services, link)
		LIST_FOREACH(session, &service->sessions, link)
			if (address_is_known(&session->peer) && *count < session_count())
				list[(*count)++] =
					prefix_of_source(&session->peer,
							 service->settings->source_prefix);
	return list;
}

/* Keeps the list in order, the most first. */
static unsigned insert(struct source_facts sources[static FACTS_SOURCES_MAX], unsigned count,
		       const struct source_facts *one)
{
	unsigned place = count < FACTS_SOURCES_MAX ? count : FACTS_SOURCES_MAX;

	while (place > 0 && sources[place - 1].sessions < one->sessions) {
		if (place < FACTS_SOURCES_MAX)
			sources[place] = sources[place - 1];
		place--;
	}
	if (place < FACTS_SOURCES_MAX)
		sources[place] = *one;
	return count < FACTS_SOURCES_MAX ? count + 1 : count;
}

unsigned facts_top_sources(struct source_facts sources[static FACTS_SOURCES_MAX])
{
	unsigned found = 0;
	size_t count, next;
	struct prefix *list = list_sources(&count);

	if (!list)
		return 0;
	qsort(list, count, sizeof *list, compare_prefixes);
	for (size_t i = 0; i < count; i = next) {
		struct source_facts one = { .source = list[i] };

		for (next = i; next < count && compare_prefixes(&list[i], &list[next]) == 0; next++)
			one.sessions++;
		found = insert(sources, found, &one);
	}
	free(list);
	return found;
}
