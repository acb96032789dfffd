#include "inspect/inspect.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* Problems in the order of the output, without duplicates: a problem of defaults may be
 * reported for several services. */
struct sorted {
	const struct problem **list;
	size_t count;
	unsigned counts[ERROR + 1]; /* by severity */
};

static int compare_files(const char *one, const char *other)
{
	return strcmp(one ? one : "", other ? other : "");
}

static int compare_problems(const void *left, const void *right)
{
	const struct problem *one = *(const struct problem *const *)left;
	const struct problem *other = *(const struct problem *const *)right;
	int files = compare_files(one->file, other->file);

	if (files)
		return files;
	if (one->line != other->line)
		return one->line < other->line ? -1 : 1;
	if (one->severity != other->severity)
		return one->severity > other->severity ? -1 : 1;
	return strcmp(one->text, other->text);
}

static void drop_repeats(struct sorted *sorted)
{
	size_t kept = 0;

	for (size_t i = 0; i < sorted->count; i++)
		if (kept == 0 || compare_problems(&sorted->list[kept - 1], &sorted->list[i]) != 0)
			sorted->list[kept++] = sorted->list[i];
	sorted->count = kept;
}

/* Without memory nothing is shown, but then the load has failed before. */
static struct sorted sort(const struct problems *problems, enum severity least)
{
	struct sorted sorted = {
		.list = calloc(problems->count + 1, sizeof *sorted.list),
	};

	for (size_t i = 0; sorted.list && i < problems->count; i++)
		if (problems->list[i].severity >= least)
			sorted.list[sorted.count++] = &problems->list[i];
	if (sorted.count > 0)
		qsort(sorted.list, sorted.count, sizeof *sorted.list, compare_problems);
	drop_repeats(&sorted);
	for (size_t i = 0; i < sorted.count; i++)
		sorted.counts[sorted.list[i]->severity]++;
	return sorted;
}

/* --- text --------------------------------------------------------------------- */

static void write_text(const struct problem *problem, FILE *out)
{
	if (problem->file && problem->line)
		fprintf(out, "%s:%d: ", problem->file, problem->line);
	else if (problem->file)
		fprintf(out, "%s: ", problem->file);
	fprintf(out, "%s: %s\n", severity_name(problem->severity), problem->text);
}

static void write_all(const struct sorted *sorted, size_t omitted, FILE *out)
{
	for (size_t i = 0; i < sorted->count; i++)
		write_text(sorted->list[i], out);
	if (omitted)
		fprintf(out, "... and %zu more\n", omitted);
}

void inspect_report(const struct problems *problems, enum severity least, FILE *out)
{
	struct sorted sorted = sort(problems, least);

	write_all(&sorted, problems->omitted, out);
	free(sorted.list);
}

static void print_count(const char *separator, size_t count, const char *one, const char *many)
{
	if (count > 0)
		printf("%s%zu %s", separator, count, count == 1 ? one : many);
}

static void print_services(const struct settings *settings)
{
	const struct left_out *entry;
	size_t off = 0, broken = 0;

	STAILQ_FOREACH(entry, &settings->left_out, link) {
		off += !entry->is_broken;
		broken += entry->is_broken;
	}
	printf("%zu service%s", settings->count, settings->count == 1 ? "" : "s");
	print_count(", ", off, "switched off", "switched off");
	print_count(", ", broken, "not to be started", "not to be started");
}

static void print_summary(const struct settings *settings, const struct sorted *sorted)
{
	if (settings)
		print_services(settings);
	else
		fputs("refused as a whole", stdout);
	fputs(sorted->count > 0 ? ":" : ", no problems", stdout);
	print_count(" ", sorted->counts[ERROR], "error", "errors");
	print_count(sorted->counts[ERROR] ? ", " : " ", sorted->counts[WARNING], "warning",
		    "warnings");
	print_count(sorted->counts[ERROR] || sorted->counts[WARNING] ? ", " : " ",
		    sorted->counts[ADVICE], "piece of advice", "pieces of advice");
	putchar('\n');
}

/* --- JSON --------------------------------------------------------------------- */

static void print_json_object(const struct problem *problem)
{
	printf("{\"severity\": \"%s\", \"file\": ", severity_name(problem->severity));
	if (problem->file)
		json_string(stdout, problem->file);
	else
		fputs("null", stdout);
	printf(", \"line\": %d, \"text\": ", problem->line);
	json_string(stdout, problem->text);
	putchar('}');
}

static void print_json(const struct sorted *sorted)
{
	putchar('[');
	for (size_t i = 0; i < sorted->count; i++) {
		fputs(i == 0 ? "\n  " : ",\n  ", stdout);
		print_json_object(sorted->list[i]);
	}
	puts(sorted->count > 0 ? "\n]" : "]");
}

/* --- the whole ------------------------------------------------------------------ */

int inspect_check(const struct load_options *options, bool as_json)
{
	struct problems problems = { 0 };
	struct settings *settings = settings_load(options, &problems);
	bool fine = settings && problems.errors == 0;
	struct sorted sorted = sort(&problems, ADVICE);

	if (as_json) {
		print_json(&sorted);
	} else {
		write_all(&sorted, problems.omitted, stdout);
		print_summary(settings, &sorted);
	}
	free(sorted.list);
	problems_clear(&problems);
	settings_free(settings);
	return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
