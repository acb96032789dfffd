#include "import/readers.h"

#include "config/inetd_conf.h"

#include <string.h>

/* True for NAME TYPE PROTOCOL WAIT USER SERVER. */
static bool is_line(struct span line)
{
	static const char *const types[] = { "stream", "dgram", "raw", "rdm", "seqpacket" };
	struct span type, wait;

	span_take_word(&line);
	type = span_take_word(&line);
	span_take_word(&line);
	wait = span_take_word(&line);
	wait = span_take_until(&wait, ".:/");
	type = span_take_until(&type, ",:");
	if (!span_is(wait, "wait") && !span_is(wait, "nowait"))
		return false;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (span_is(type, types[i]))
			return true;
	return false;
}

bool inetd_is_conf(const struct import_file *file)
{
	struct lines lines;
	struct span line;

	lines_begin(&lines, file->text, file->length);
	while (lines_next(&lines, &line))
		if (!span_is_idle(line) && is_line(line))
			return true;
	return false;
}

static void write_entry(struct import *import, const struct entry *entry)
{
	struct draft draft;

	import->line = entry->line;
	draft_begin(&draft, import,
		    (struct span){ entry->name, entry->name + strlen(entry->name) });
	for (size_t i = 0; i < attribute_count; i++) {
		const struct assignment *line = entry_lines(entry, i);

		for (size_t word = 0; line && word < line->count; word++) {
			const char *text = line->words[word]->text;

			draft_add(&draft, attributes[i].name,
				  (struct span){ text, text + strlen(text) });
		}
	}
	draft_write(&draft);
	draft_clear(&draft);
}

void inetd_read(struct import *import, const struct import_file *file)
{
	struct entry_queue entries = STAILQ_HEAD_INITIALIZER(entries);

	if (inetd_conf_parse(file->name, file->text, file->length, &entries, import->problems) < 0)
		import_complain(import, "out of memory");
	while (!STAILQ_EMPTY(&entries)) {
		struct entry *entry = STAILQ_FIRST(&entries);

		STAILQ_REMOVE_HEAD(&entries, link);
		if (!entry->broken)
			write_entry(import, entry);
		entry_free(entry);
	}
}
