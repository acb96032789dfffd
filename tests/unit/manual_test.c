/* The manuals agree with the program. The current directory is the top of the
 * repository. */
#include "admission/verdict.h"
#include "config/attributes.h"
#include "config/loader.h"
#include "config/syscall_names.h"
#include "handlers/handler.h"
#include "options.h"
#include "frontend/service.h"
#include "support/place.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

static const char daemon_manual[] = "man/usherd.8";
static const char configuration_manual[] = "man/usherd.conf.5";
static const char log_manual[] = "man/usherd.log.5";

static const char *const manuals[] = { "usherd.8", "usherd.conf.5", "usherd.log.5",
				       "status_page.8" };

enum { MANUALS = sizeof manuals / sizeof manuals[0] };

static const char *manual_read(const char *path)
{
	const char *text = file_read(path);

	ck_assert_msg(text[0] != '\0', "no %s here; run this at the top of the repository", path);
	return text;
}

/* The next line that begins with macro, after it; moves *rest past the line.
 * NULL when there is none. */
static const char *next_line(const char **rest, const char *macro)
{
	size_t length = strlen(macro);

	while (**rest) {
		const char *line = *rest, *end = strchrnul(line, '\n');

		*rest = *end ? end + 1 : end;
		if (strncmp(line, macro, length) == 0)
			return textf("%.*s", (int)(end - line - (long)length), line + length);
	}
	return NULL;
}

static char *first_word(const char *line)
{
	return textf("%.*s", (int)strcspn(line, " "), line);
}

static unsigned count_lines(const char *text, const char *line)
{
	const char *rest = text, *found;
	unsigned count = 0;

	while ((found = next_line(&rest, "")))
		count += strcmp(found, line) == 0;
	return count;
}

/* --- attributes --- */

/* The manual from the line after the attribute's item; "" when there is no item. The second
 * item of that name is the daemon's. */
static const char *item_text(const char *name, unsigned number)
{
	const char *rest = manual_read(configuration_manual), *line;

	while ((line = next_line(&rest, ".It Cm ")))
		if (strcmp(first_word(line), name) == 0 && number-- == 0)
			return rest;
	return "";
}

static const char *attribute_text(const char *name)
{
	return item_text(name, 0);
}

static const char *places_text(unsigned places)
{
	static const struct {
		unsigned place;
		const char *name;
	} names[] = {
		{ IN_SERVICE, "service" },
		{ IN_DEFAULTS, "defaults" },
		{ IN_DAEMON, "daemon" },
	};
	const char *text = "";

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (places & names[i].place)
			text = textf("%s%s%s", text, *text ? ", " : "", names[i].name);
	return text;
}

/* What the daemon has under the name of a service's attribute is described apart. */
static bool has_two_items(const struct attribute *attribute)
{
	return (attribute->places & IN_SERVICE) && (attribute->places & IN_DAEMON);
}

static void check_item(const struct attribute *attribute, unsigned number, unsigned places)
{
	static const char *const operators[] = {
		[SHAPE_SCALAR] = "=",
		[SHAPE_LIST] = "=, +=, \\-=",
		[SHAPE_GROWING] = "=, +=",
	};
	const char *text = item_text(attribute->name, number), *line;
	const char *expected = textf("(%s; %s)", places_text(places), operators[attribute->shape]);

	ck_assert_msg(*text, "%s has no .It Cm %s", configuration_manual, attribute->name);
	/* An item's line may go on after a backslash. */
	line = next_line(&text, "");
	if (line[0] != '(')
		line = next_line(&text, "");
	ck_assert_msg(strcmp(line, expected) == 0, "%s: \"%s\" in place of \"%s\"", attribute->name,
		      line, expected);
}

START_TEST(every_group_of_system_calls_is_described)
{
	const char *manual = manual_read(configuration_manual);
	const struct syscall_group *group;

	for (size_t i = 0; (group = syscall_group(i)); i++)
		ck_assert_msg(count_lines(manual, textf(".It Li %s", group->name)) == 1, "%s",
			      group->name);
}
END_TEST

START_TEST(every_attribute_is_described)
{
	const struct attribute *attribute = &attributes[_i];

	if (has_two_items(attribute)) {
		check_item(attribute, 0, attribute->places & ~(unsigned)IN_DAEMON);
		check_item(attribute, 1, IN_DAEMON);
	} else {
		check_item(attribute, 0, attribute->places);
	}
}
END_TEST

START_TEST(every_described_attribute_is_known)
{
	const char *rest = manual_read(configuration_manual), *line;
	unsigned count = 0, expected = (unsigned)attribute_count;

	for (; (line = next_line(&rest, ".It Cm ")); count++)
		ck_assert_msg(attribute_find(first_word(line)) >= 0, "there is no attribute %s",
			      first_word(line));
	for (size_t i = 0; i < attribute_count; i++)
		expected += has_two_items(&attributes[i]);
	ck_assert_uint_eq(count, expected);
}
END_TEST

START_TEST(interface_is_described_as_bind)
{
	ck_assert(text_matches(attribute_text("bind"), "^\\.Cm interface$"));
}
END_TEST

/* Attributes whose help lists the words that they take. */
static const char *const worded[] = { "type", "flags", "log_on_success", "log_on_failure" };

START_TEST(every_word_is_described)
{
	char *rest = textf("%s", attributes[ATTRIBUTE(worded[_i])].help), *word;
	const char *text = attribute_text(worded[_i]), *end = strstr(text, "\n.It Cm ");

	ck_assert_ptr_nonnull(end);
	text = textf("%.*s", (int)(end - text), text);
	while ((word = strsep(&rest, ","))) {
		word += strspn(word, " ");
		ck_assert_msg(text_matches(text, textf("^\\.It Dv %s$", word)),
			      "%s: there is no .It Dv %s", worded[_i], word);
	}
}
END_TEST

/* --- options --- */

START_TEST(every_option_is_described)
{
	const char *text = manual_read(daemon_manual);

	for (const char *const *name = options_names(); *name; name++)
		ck_assert_msg(text_count(text, textf("^\\.It Fl %s( |$)", *name)) == 1,
			      "%s has not one .It Fl %s", daemon_manual, *name);
}
END_TEST

static bool is_option(const char *name)
{
	for (const char *const *known = options_names(); *known; known++)
		if (strcmp(*known, name) == 0)
			return true;
	return false;
}

START_TEST(every_described_option_is_known)
{
	const char *rest = manual_read(daemon_manual), *line;

	while ((line = next_line(&rest, ".It Fl ")))
		ck_assert_msg(is_option(first_word(line)), "there is no option %s",
			      first_word(line));
}
END_TEST

/* --- words of the report and the log --- */

START_TEST(every_reason_of_a_failure_is_described)
{
	const char *text = manual_read(log_manual);

	for (int verdict = ADMITTED + 1; verdict < VERDICT_COUNT; verdict++) {
		const char *reason = verdict_text((enum verdict)verdict);

		ck_assert_msg(count_lines(text, textf(".It Ql %s", reason)) == 1,
			      "%s has not one .It Ql %s", log_manual, reason);
	}
}
END_TEST

static bool is_reason(const char *text)
{
	for (int verdict = ADMITTED + 1; verdict < VERDICT_COUNT; verdict++)
		if (strcmp(verdict_text((enum verdict)verdict), text) == 0)
			return true;
	return false;
}

START_TEST(every_described_reason_is_known)
{
	const char *rest = manual_read(log_manual), *line;

	while ((line = next_line(&rest, ".It Ql ")))
		ck_assert_msg(is_reason(line), "there is no reason \"%s\"", line);
}
END_TEST

START_TEST(every_state_is_described)
{
	const char *text = manual_read(daemon_manual);

	for (int state = SERVICE_LISTENING; state <= SERVICE_DRAINING; state++) {
		const char *name = service_state_text((enum service_state)state);

		ck_assert_msg(count_lines(text, textf(".It Sy %s", name)) == 1,
			      "%s has not one .It Sy %s", daemon_manual, name);
	}
}
END_TEST

START_TEST(every_degree_is_described)
{
	const char *text = manual_read(daemon_manual);

	for (int severity = ADVICE; severity <= ERROR; severity++)
		ck_assert_msg(count_lines(text, textf(".It Sy %s", severity_name(severity))) == 1,
			      "%s has not one .It Sy %s", daemon_manual, severity_name(severity));
}
END_TEST

/* --- examples --- */

/* The next literal block; NULL when there is none. */
static const char *next_display(const char **rest)
{
	const char *end, *start;

	if (!next_line(rest, ".Bd -literal"))
		return NULL;
	start = *rest;
	end = strstr(start, "\n.Ed\n");
	ck_assert_msg(end != NULL, "a .Bd without its .Ed");
	*rest = end;
	return textf("%.*s\n", (int)(end - start), start);
}

/* The example without programs and directories that this machine may not have. */
static const char *without_surroundings(const char *example)
{
	const char *rest = example, *line, *text = "";

	while ((line = next_line(&rest, ""))) {
		if (text_matches(line, "^[ \t]*server[ \t]*="))
			line = "\tserver = /bin/true";
		if (text_matches(line, "^[ \t]*root[ \t]*="))
			line = "\troot = /";
		if (!text_matches(line, "^includedir"))
			text = textf("%s%s\n", text, line);
	}
	return text;
}

static void expect_to_load(const char *example)
{
	struct load_options options = {
		.config = place_path("example"),
		.start_directory = "/",
		.trusted = geteuid(),
		.internal_exists = handler_is_built_in,
	};
	struct problems problems = { 0 };
	struct settings *settings;

	place_write("services", "rsync 873/tcp\ngit 9418/tcp\ntftp 69/udp\ntelnet 23/tcp\n");
	place_write("example", "%sdaemon {\nport_map += services\n}\n",
		    without_surroundings(example));
	settings = settings_load(&options, &problems);
	for (size_t i = 0; i < problems.count; i++)
		ck_assert_msg(problems.list[i].severity != ERROR, "%s: %s", problems.list[i].text,
			      example);
	ck_assert_ptr_nonnull(settings);
	ck_assert_uint_eq(settings->count, text_count(example, "^service "));
	settings_free(settings);
	problems_clear(&problems);
}

START_TEST(every_example_loads)
{
	const char *rest = manual_read(configuration_manual), *display;
	unsigned count = 0;

	while ((display = next_display(&rest)))
		if (text_matches(display, "^(service|daemon|defaults)")) {
			expect_to_load(display);
			count++;
		}
	ck_assert_uint_gt(count, 0);
}
END_TEST

/* --- form --- */

/* Manuals of other projects may not be installed. */
static bool is_about_another_manual(const char *line)
{
	return strstr(line, "referenced manual not found") && !strstr(line, "Xr usherd");
}

START_TEST(mandoc_has_nothing_to_say)
{
	/* In man/, mandoc finds the manuals that refer to each other. */
	const char *command = textf("cd man && mandoc -Tlint %s 2>/dev/null", manuals[_i]);
	char line[1024];
	FILE *said;

	if (system("command -v mandoc >/dev/null") != 0) {
		fprintf(stderr, "mandoc is not installed: %s is not looked at\n", manuals[_i]);
		return;
	}
	said = popen(command, "re");
	ck_assert_ptr_nonnull(said);
	while (fgets(line, sizeof line, said))
		ck_assert_msg(is_about_another_manual(line), "%s", line);
	/* From 126 on it did not run. Below, it found a problem, checked above. */
	ck_assert_int_lt(WEXITSTATUS(pclose(said)), 126);
}
END_TEST

static TCase *manual_tcase(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, place_make, place_remove);
	suite_add_tcase(suite, tcase);
	return tcase;
}

Suite *manual_suite(void)
{
	Suite *suite = suite_create("manual");
	TCase *described = manual_tcase(suite, "described");
	TCase *known = manual_tcase(suite, "known");
	TCase *form = manual_tcase(suite, "form");

	tcase_add_test(described, every_group_of_system_calls_is_described);
	tcase_add_loop_test(described, every_attribute_is_described, 0, (int)attribute_count);
	tcase_add_test(described, interface_is_described_as_bind);
	tcase_add_loop_test(described, every_word_is_described, 0,
			    sizeof worded / sizeof worded[0]);
	tcase_add_test(described, every_option_is_described);
	tcase_add_test(described, every_reason_of_a_failure_is_described);
	tcase_add_test(described, every_state_is_described);
	tcase_add_test(described, every_degree_is_described);
	tcase_add_test(known, every_described_attribute_is_known);
	tcase_add_test(known, every_described_option_is_known);
	tcase_add_test(known, every_described_reason_is_known);
	tcase_add_test(form, every_example_loads);
	tcase_add_loop_test(form, mandoc_has_nothing_to_say, 0, MANUALS);
	return suite;
}
