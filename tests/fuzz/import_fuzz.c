/* Converts arbitrary bytes as a file of another program. Whatever they are, usherd's own
 * reader takes each entry that is printed. */
#include "config/entry.h"
#include "config/syntax.h"
#include "import/import.h"

#include "fuzz.h"

static void check_output(const char *text)
{
	struct problems problems = { 0 };
	struct raw_entry raw;
	struct syntax syntax;

	for (const char *c = text; *c; c++)
		require(*c != '\r');
	syntax_begin(&syntax, "output", text, strlen(text), &problems);
	while (syntax_next(&syntax, &raw)) {
		struct entry *entry = entry_parse(&raw, "output", &problems);

		require(entry && entry->kind == ENTRY_SERVICE && !entry->broken);
		entry_free(entry);
		raw_entry_clear(&raw);
	}
	require(!syntax.lost_entries && problems.errors == 0);
	problems_clear(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct input input = { bytes, length };
	struct problems problems = { 0 };
	char *name = input_string(input_line(&input));
	struct import_file file = { *name ? name : "file", (const char *)input.bytes, input.length,
				    false };
	char *text = import_convert(&file, 1, "/directory", &problems);

	require(text != NULL);
	check_output(text);
	require(*text || problems.count > 0);
	free(text);
	free(name);
	problems_clear(&problems);
	return 0;
}
