/* Reads arbitrary bytes as inetd.conf and checks the entries against the header's
 * contract. */
#include "config/attributes.h"
#include "config/inetd_conf.h"

#include "fuzz.h"

/* An entry comes from one line, where it begins; each attribute is set once. */
static void check_entry(const struct entry *entry)
{
	require(entry->kind == ENTRY_SERVICE && !entry->disabled);
	for (size_t i = 0; i < attribute_count; i++) {
		const struct assignment *line = entry_lines(entry, i);

		if (!line)
			continue;
		require(!line->next && line->sign == ASSIGN_SET && line->line == entry->line);
		require(attributes[i].places & IN_SERVICE);
	}
	require(entry->broken || entry_lines(entry, ATTRIBUTE("socket_type")));
	require(entry->broken || entry_lines(entry, ATTRIBUTE("wait")));
	require(entry->broken || entry_lines(entry, ATTRIBUTE("user")));
	require(entry->broken || entry->name[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct entry_queue entries = STAILQ_HEAD_INITIALIZER(entries);
	struct problems problems = { 0 };
	int lost = inetd_conf_parse("file", (const char *)bytes, length, &entries, &problems);
	int last_line = 0;
	bool broken = false;

	require(lost >= 0);
	while (!STAILQ_EMPTY(&entries)) {
		struct entry *entry = STAILQ_FIRST(&entries);

		STAILQ_REMOVE_HEAD(&entries, link);
		require(entry->line > last_line);
		last_line = entry->line;
		check_entry(entry);
		broken |= entry->broken;
		entry_free(entry);
	}
	require((lost == 0 && !broken) || problems.errors > 0);
	problems_clear(&problems);
	return 0;
}
