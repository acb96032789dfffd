#include "monitor/expansion.h"

#include "config/placeholders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The values of a session, and their texts. */
struct session_texts {
	struct placeholder_values values;
	char client[ADDRESS_TEXT_SIZE], port[8], session[SESSION_ID_SIZE], slot[12];
};

/* Without the interface of a link-local address: only digits, letters, dots and colons. */
static void write_client(struct session_texts *texts, const struct address *peer)
{
	if (address_is_known(peer)) {
		address_text(peer, texts->client);
		texts->client[strcspn(texts->client, "%")] = '\0';
	} else {
		strcpy(texts->client, "unknown");
	}
}

static void write_texts(struct session_texts *texts, const struct service_settings *settings,
			const struct address *peer, const struct session_facts *facts)
{
	write_client(texts, peer);
	snprintf(texts->port, sizeof texts->port, "%u",
		 address_is_known(peer) ? address_port(peer) : 0U);
	session_id_text(facts->id, texts->session);
	snprintf(texts->slot, sizeof texts->slot, "%u", facts->slot);
	texts->values = (struct placeholder_values){ .texts = {
							     [PLACEHOLDER_CLIENT] = texts->client,
							     [PLACEHOLDER_PORT] = texts->port,
							     [PLACEHOLDER_SESSION] = texts->session,
							     [PLACEHOLDER_SLOT] = texts->slot,
							     [PLACEHOLDER_USER] = settings->account,
						     } };
}

/* A list of texts that is expanded into room. */
struct target {
	char **list;
	size_t count;
	char *room;
	size_t size;
	const struct placeholder_values *values;
};

/* Adds text, which may be NULL, and counts the bytes it takes even if there is no room: list is
 * NULL then. */
static void add(struct target *target, char *text, bool is_expanded)
{
	size_t length = 0;

	if (text && is_expanded && placeholders_in(text)) {
		length = placeholders_expand(target->room, target->list ? target->size : 0, text,
					     target->values) +
			 1;
		text = target->room;
	}
	if (target->list) {
		target->list[target->count] = text;
		target->room += length;
	}
	target->count++;
	target->size += target->list ? -length : length;
}

static void add_all(struct target *target, const struct service_settings *settings,
		    char *const argv[], size_t fixed)
{
	const struct program_settings *program = settings->program;

	for (size_t i = 0; argv[i]; i++)
		add(target, argv[i], i >= fixed);
	if (target->list)
		target->list[target->count] = NULL;
	target->count++;
	for (size_t i = 0; i < program->environment_count; i++)
		add(target, program->environment[i], i >= program->environment_passed);
	add(target, program->directory, true);
}

/* Twice the same: to measure, and to write. */
struct expansion *expansion_new(const struct service_settings *settings, const struct address *peer,
				const struct session_facts *facts, char *const argv[], size_t fixed)
{
	struct session_texts texts;
	struct target needed = { .values = &texts.values }, target = needed;
	struct expansion *expansion;

	write_texts(&texts, settings, peer, facts);
	add_all(&needed, settings, argv, fixed);
	expansion = malloc(sizeof *expansion + needed.count * sizeof(char *) + needed.size);
	if (!expansion)
		return NULL;
	target.list = expansion->texts;
	target.room = (char *)(expansion->texts + needed.count);
	target.size = needed.size;
	add_all(&target, settings, argv, fixed);
	expansion->argv = expansion->texts;
	expansion->environment =
		expansion->texts + (needed.count - 1 - settings->program->environment_count);
	expansion->directory = expansion->texts[needed.count - 1];
	return expansion;
}

/* How many bytes the paths of scratch need, expanded. */
static size_t scratch_size(const struct service_settings *settings,
			   const struct placeholder_values *values)
{
	const struct strings *scratch = &settings->program->scratch;
	size_t size = 0;

	for (size_t i = 0; i < scratch->count; i += 2)
		size += placeholders_expand(NULL, 0, scratch->list[i], values) + 1;
	return size;
}

struct jail_plan *expansion_plan(const struct jail_plan *plan,
				 const struct service_settings *settings,
				 const struct session_facts *facts)
{
	const struct address nobody = { 0 };
	struct session_texts texts;
	struct own_plan {
		struct jail_plan plan; /* first, as it is what is freed */
		struct jail_scratch scratch[];
	} * own;
	size_t size, length = plan->scratch_count * sizeof *own->scratch;
	char *text;

	write_texts(&texts, settings, &nobody, facts);
	size = scratch_size(settings, &texts.values);
	own = malloc(sizeof *own + length + size);
	if (!own)
		return NULL;
	own->plan = *plan;
	own->plan.scratch = own->scratch;
	memcpy(own->scratch, plan->scratch, length);
	text = (char *)(own->scratch + plan->scratch_count);
	for (size_t i = 0; i < plan->scratch_count; i++) {
		own->scratch[i].path = text;
		text += placeholders_expand(text, size, settings->program->scratch.list[2 * i],
					    &texts.values) +
			1;
	}
	return &own->plan;
}

void expansion_apply(const struct expansion *expansion, const struct service_settings *settings,
		     char **environment)
{
	memcpy(environment, expansion->environment,
	       settings->program->environment_count * sizeof *environment);
}

bool expansion_needs_slot(const struct service_settings *settings)
{
	return settings->placeholders_used & (1U << PLACEHOLDER_SLOT);
}
