/* Files, defaults, and the settings that are loaded from them. */
#include "config/entry_files.h"
#include "config/bounds.h"
#include "support/configuration.h"
#include "support/place.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVICE(id) \
	"service " id "\n{\ntype = UNLISTED\nport = 0\nsocket_type = stream\nwait = no\n" \
	"user = root\nserver = /bin/sh\n}\n"
#define OPEN(id) \
	"service " id "\n{\ntype = UNLISTED\nport = 0\nsocket_type = stream\nwait = no\n" \
	"user = root\nserver = /bin/sh\n"

/* --- defaults --------------------------------------------------------------------- */

/* Lines of defaults and of a service, and the value in effect. */
static const struct {
	const char *defaults, *service;
	const char *effective; /* a line of the canonical text; NULL: no such line */
} merges[] = {
	{ "instances = 5", "", "instances = 5" },
	{ "instances = 5", "instances = 6", "instances = 6" },
	{ "", "", NULL },
	{ "only_from = a", "", "only_from = a" },
	{ "only_from = a", "only_from = b", "only_from = b" },
	{ "only_from = a", "only_from += b", "only_from = a b" },
	{ "only_from = a b c", "only_from -= b", "only_from = a c" },
	{ "only_from = a", "only_from =", "only_from =" },
	{ "only_from = a", "only_from = b\nonly_from += c\nonly_from -= b", "only_from = c" },
	{ "only_from = a", "only_from += b\nonly_from = c", "only_from = c" },
	{ "only_from = a\nonly_from = b", "", "only_from = a b" },
	{ "only_from = a\nonly_from += b\nonly_from -= a", "", "only_from = b" },
	{ "only_from =", "", "only_from =" },
	{ "", "only_from += a", "only_from = a" },
	{ "only_from = Host", "only_from -= hOST", "only_from =" },
	{ "no_access = 10.0.0.0/8 1.2.3.4", "no_access -= 10.0.0.0", "no_access = 1.2.3.4" },
	{ "no_access = 10.0.0.0", "no_access -= 10.0.0.0/8", "no_access =" },
	{ "no_access = 10.1.{2,3}", "no_access -= 10.1.2", "no_access = 10.1.{2,3}" },
	{ "no_access = 10.1.{2,3}", "no_access -= 10.1.2.0", "no_access = 10.1.3.0/24" },
	{ "no_access = ::1/128", "no_access -= ::1", "no_access =" },
	{ "log_on_failure = HOST", "log_on_failure += ATTEMPT", "log_on_failure = HOST ATTEMPT" },
	{ "log_on_success = PID HOST", "log_on_success -= pid", "log_on_success = HOST" },
	{ "log_on_success = PID", "log_on_success =", "log_on_success =" },
	{ "passenv = A B", "passenv -= A", "passenv = B" },
	{ "log_type = SYSLOG daemon info", "", "log_type = SYSLOG daemon info" },
	{ "log_type = SYSLOG daemon", "log_type = SYSLOG mail", "log_type = SYSLOG mail" },
	{ "cps = 5 6", "", "cps = 5 6" },
	{ "bind = ::1", "interface = ::2", "bind = ::2" },
	{ "umask = 022", "", "umask = 022" },
	{ "groups = yes", "groups = no", "groups = no" },
	{ "banner = /a", "banner = /b", "banner = /b" },
	{ "cps_action = queue\nat_limit = queue\nsource_cps = 1 2", "", "source_cps = 1 2" },
	{ "max_load = 2.5", "", "max_load = 2.5" },
	{ "v6only = yes", "", "v6only = yes" },
	{ "mdns = no", "", NULL },
};

/* A line of the canonical text, each run of blanks made one blank. */
static const char *canonical_line(const struct service_settings *service, const char *attribute)
{
	const char *line = service->canonical, *at;

	for (; *line; line = strchr(line, '\n') + 1) {
		size_t length = strcspn(line, "\n");

		if (strncmp(line + 1, attribute, strlen(attribute)) != 0 ||
		    line[1 + strlen(attribute)] != ' ')
			continue;
		at = strchr(line, '=');
		return textf("%s %.*s", attribute, (int)(length - (size_t)(at - line)), at);
	}
	return NULL;
}

static const char *first_name(const char *lines)
{
	return textf("%.*s", (int)strcspn(lines, " "), lines);
}

static void check_merge(int row, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void check_merge(int row, const char *format, ...)
{
	const char *attribute =
		merges[row].effective ? first_name(merges[row].effective) : "instances";
	va_list values;
	const char *line;

	va_start(values, format);
	configuration_load("%s", textv(format, values));
	va_end(values);
	ck_assert_msg(configuration_service("a") != NULL, "%s / %s: %s", merges[row].defaults,
		      merges[row].service, configuration_complaints_text());
	line = canonical_line(configuration_service("a"), attribute);
	ck_assert_msg(line ? merges[row].effective && strcmp(line, merges[row].effective) == 0
			   : !merges[row].effective,
		      "%s / %s gives %s", merges[row].defaults, merges[row].service,
		      line ? line : "nothing");
}

START_TEST(services_build_on_defaults)
{
	check_merge(_i, "defaults\n{\n%s\n}\n" OPEN("a") "%s\n}\n", merges[_i].defaults,
		    merges[_i].service);
}
END_TEST

START_TEST(defaults_may_come_after_services)
{
	check_merge(_i, OPEN("a") "%s\n}\ndefaults\n{\n%s\n}\n", merges[_i].service,
		    merges[_i].defaults);
}
END_TEST

START_TEST(defaults_may_come_from_another_file)
{
	place_write("more", "defaults\n{\n%s\n}\n", merges[_i].defaults);
	check_merge(_i, OPEN("a") "%s\n}\ninclude more\n", merges[_i].service);
}
END_TEST

START_TEST(defaults_of_several_files_add_up)
{
	place_write("more", "defaults\n{\nonly_from = b\ninstances = 6\n}\n");
	configuration_load(
		"defaults\n{\nonly_from = a\ninstances = 5\n}\ninclude more\n" SERVICE("a"));
	ck_assert_str_eq(canonical_line(configuration_service("a"), "only_from"),
			 "only_from = a b");
	ck_assert_uint_eq(configuration_service("a")->admission->instances, 5);
	ck_assert(configuration_said(WARNING, 4, "instances is already set on"));
}
END_TEST

/* An empty value still has the line that sets it. */
START_TEST(defaults_of_several_files_may_set_nothing)
{
	place_write("more", "defaults\n{\nmdns =\n}\n");
	configuration_load("defaults\n{\nmdns =\n}\ninclude more\n" SERVICE("a"));
	ck_assert(configuration_service("a") != NULL);
	ck_assert(configuration_said(WARNING, 3, "mdns is already set on"));
}
END_TEST

START_TEST(one_defaults_counts_in_a_file)
{
	configuration_load(
		"defaults\n{\ninstances = 5\n}\ndefaults\n{\ninstances = 6\nno_such = 1\n}\n" SERVICE(
			"a"));
	ck_assert(configuration_said(WARNING, 5, "only one defaults entry counts"));
	ck_assert_uint_eq(configuration_complaints(WARNING), 1);
	ck_assert_uint_eq(configuration_service("a")->admission->instances, 5);
}
END_TEST

START_TEST(a_removal_takes_what_is_left_of_a_factorised_address)
{
	const struct service_settings *service;

	configuration_load("defaults\n{\nno_access = 10.1.{2,3,4}\n}\n" OPEN(
		"a") "no_access -= 10.1.3.0\n}\n" SERVICE("b"));
	service = configuration_service("a");
	ck_assert_uint_eq(service->admission->no_access.count, 2);
	ck_assert_int_eq(service->admission->no_access.rules[0].line, 3);
	ck_assert_uint_eq(configuration_service("b")->admission->no_access.count, 3);
	ck_assert_uint_eq(configuration_complaints(WARNING), 0);
}
END_TEST

/* Entries that make the whole load fail, and the error. */
static const struct {
	const char *lines;
	const char *said;
} fatal[] = {
	{ "no_such = 1", "unknown attribute \"no_such\"" },
	{ "instances = x", "\"x\" is neither a number" },
	{ "instances = 1 2", "instances takes 1 value" },
	{ "instances += 1", "instances takes \"=\"" },
	{ "log_on_success = NONSENSE", "unknown value \"NONSENSE\"" },
	{ "only_from = 127.0.0.", "127.0.0." },
	{ "only_from -= 127.0.0.", "127.0.0." },
	{ "instances", "is not of the form" },
	{ "log_type = FILE /no/such/directory/x", "the directory of" },
};

START_TEST(an_error_in_defaults_refuses_the_load)
{
	ck_assert_ptr_null(configuration_load(SERVICE("a") "defaults\n{\n%s\n}\n" OPEN(
						      "b") "instances = y\n}\n",
					      fatal[_i].lines));
	ck_assert_msg(configuration_said(ERROR, 12, fatal[_i].said), "%s: %s", fatal[_i].lines,
		      configuration_complaints_text());
	/* The rest is read, too: one run reports all errors, each once. */
	ck_assert(configuration_said(ERROR, 22, "\"y\" is neither"));
	ck_assert_msg(configuration_complaints(WARNING) == 2, "%s",
		      configuration_complaints_text());
}
END_TEST

START_TEST(what_has_no_place_in_defaults_is_a_warning)
{
	ck_assert_ptr_nonnull(configuration_load("defaults\n{\nport = x\ndisable = yes\n"
						 "rlimit_cpu = 1\n}\n" SERVICE("a")));
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert_uint_eq(configuration_complaints(WARNING), 3);
	ck_assert_uint_eq(configuration_complaints(ERROR), 0);
}
END_TEST

/* --- services and their faults ----------------------------------------------------- */

START_TEST(a_broken_entry_costs_only_itself)
{
	const struct settings *settings =
		configuration_load(SERVICE("a") OPEN("b") "no_such = 1\n}\n" OPEN(
			"c") "instances = x\n}\n" OPEN("d") "nonsense\n}\n" SERVICE("e"));

	ck_assert_uint_eq(settings->count, 2);
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert_ptr_nonnull(configuration_service("e"));
	ck_assert(settings_has_broken(settings, "b"));
	ck_assert(settings_has_broken(settings, "C"));
	ck_assert(settings_has_broken(settings, "d"));
	ck_assert(!settings_has_broken(settings, "a"));
	ck_assert(!settings->lost_entries);
	ck_assert_uint_eq(configuration_complaints(WARNING), 3);
}
END_TEST

START_TEST(a_broken_entry_is_known_by_its_id)
{
	const struct settings *settings = configuration_load(OPEN("a") "id = b\nno_such = 1\n}\n");

	ck_assert(settings_has_broken(settings, "b"));
	ck_assert(!settings_has_broken(settings, "a"));
	settings = configuration_load(OPEN("a") "id = b c\n}\n");
	ck_assert(settings_has_broken(settings, "a"));
}
END_TEST

START_TEST(nothing_revives_a_broken_entry)
{
	configuration_load(
		"defaults\n{\nenabled = a\n}\n" OPEN("a") "instances = x\ndisable = no\n}\n");
	ck_assert_ptr_null(configuration_service("a"));
}
END_TEST

START_TEST(several_faults_are_told_in_one_run)
{
	configuration_load(
		"service a\n{\nprot = 1\nport = x\nwait = maybe\ninstances = 1 2\n"
		"nonsense\nuser = no-such-user\n}\nservice b\n{\nsocket_type = foo\n}\n");
	ck_assert(
		configuration_said(ERROR, 3, "unknown attribute \"prot\"; did you mean \"port\"?"));
	ck_assert(configuration_said(ERROR, 4, "not a port number"));
	ck_assert(configuration_said(ERROR, 5, "unknown value \"maybe\""));
	ck_assert(configuration_said(ERROR, 6, "takes 1 value and got 2"));
	ck_assert(configuration_said(ERROR, 7, "is not of the form"));
	ck_assert(configuration_said(ERROR, 8, "there is no user"));
	ck_assert(configuration_said(ERROR, 12, "unknown value \"foo\""));
	ck_assert_uint_eq(configuration_complaints(WARNING), 7);
}
END_TEST

START_TEST(text_between_entries_may_have_been_entries)
{
	const struct settings *settings = configuration_load("stray\n" SERVICE("a") SERVICE("b"));

	ck_assert(settings->lost_entries);
	ck_assert_ptr_null(configuration_service("a"));
	ck_assert_ptr_nonnull(configuration_service("b"));
}
END_TEST

START_TEST(disabled_entries_are_left_out_quietly)
{
	const struct settings *settings = configuration_load(
		OPEN("a") "disable = yes\nno_such = 1\nserver = /no/such\n}\n" OPEN(
			"b") "disable = YES\n}\n" SERVICE("c"));

	ck_assert_uint_eq(settings->count, 1);
	ck_assert_uint_eq(configuration_complaints(WARNING), 1);
	ck_assert(configuration_said(WARNING, 11, "server is already set"));
	ck_assert(configuration_said(ADVICE, 10, "unknown attribute \"no_such\""));
	ck_assert(!settings_has_broken(settings, "a"));
	ck_assert_uint_eq(load_problems.errors, 0);
}
END_TEST

START_TEST(what_stands_before_a_disabled_entry_is_still_an_error)
{
	configuration_load("stray\n}\n" OPEN("a") "disable = yes\n}\n");
	ck_assert(configuration_said(ERROR, 1, "stands between entries"));
	ck_assert_uint_eq(load_problems.errors, 1);
}
END_TEST

static const struct {
	const char *defaults;
	const char *started; /* of a, b and c */
} choices[] = {
	{ "enabled = a c", "ac" },
	{ "enabled = A", "a" },
	{ "enabled =", "" },
	{ "enabled = a\nenabled += b", "ab" },
	{ "disabled = a", "bc" },
	{ "disabled = B x", "ac" },
	{ "disabled = a b\ndisabled -= b", "bc" },
	{ "enabled = a b\ndisabled = b", "a" },
	{ "", "abc" },
};

START_TEST(defaults_choose_services)
{
	char started[8] = "";

	configuration_load("defaults\n{\n%s\n}\n" SERVICE("a") OPEN("x") "id = b\n}\n" SERVICE("c"),
			   choices[_i].defaults);
	for (const char *id = "a\0b\0c\0"; *id; id += 2)
		if (configuration_service(id))
			strcat(started, id);
	ck_assert_msg(strcmp(started, choices[_i].started) == 0, "%s starts %s",
		      choices[_i].defaults, started);
}
END_TEST

START_TEST(services_stand_in_the_order_of_the_files)
{
	const struct settings *settings;

	place_write("more", SERVICE("b"));
	settings = configuration_load(SERVICE("c") "include more\n" SERVICE("a"));
	ck_assert_uint_eq(settings->count, 3);
	ck_assert_str_eq(settings->services[0]->id, "c");
	ck_assert_str_eq(settings->services[1]->id, "b");
	ck_assert_str_eq(settings->services[2]->id, "a");
	ck_assert(strstr(settings->services[1]->file, "/more") != NULL);
	ck_assert_int_eq(settings->services[2]->line, 11);
}
END_TEST

START_TEST(ids_default_to_names)
{
	configuration_load(SERVICE("a") OPEN("a") "id = b\n}\n");
	ck_assert_str_eq(configuration_service("a")->name, "a");
	ck_assert_str_eq(configuration_service("b")->name, "a");
}
END_TEST

START_TEST(an_inherited_log_is_common)
{
	configuration_load("defaults\n{\nlog_type = FILE /dev/null\n}\n" SERVICE("a")
				   OPEN("b") "log_type = FILE /dev/null\n}\n");
	ck_assert(configuration_service("a")->log.is_common);
	ck_assert(!configuration_service("b")->log.is_common);
}
END_TEST

/* --- include and includedir -------------------------------------------------------- */

START_TEST(includes_files)
{
	mkdir(place_path("sub"), 0755);
	place_write("sub/one", SERVICE("one") "include two\n");
	place_write("sub/two", SERVICE("two"));
	place_write("abs", SERVICE("abs"));
	configuration_load("include sub/one\ninclude %s\n", place_path("abs"));
	ck_assert_ptr_nonnull(configuration_service("one"));
	ck_assert_ptr_nonnull(configuration_service("two"));
	ck_assert_ptr_nonnull(configuration_service("abs"));
	ck_assert_uint_eq(configuration_complaints(WARNING), 0);
}
END_TEST

START_TEST(a_missing_include_is_an_error_that_costs_nothing_else)
{
	const struct settings *settings = configuration_load("include no-such\n" SERVICE("a"));

	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert(configuration_said(ERROR, 1, "no-such: No such file or directory"));
	ck_assert(settings->lost_entries);
	configuration_load("includedir no-such\n" SERVICE("a"));
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert(configuration_said(ERROR, 1, "no-such: No such file or directory"));
}
END_TEST

START_TEST(includes_directories)
{
	const struct settings *settings;

	mkdir(place_path("d"), 0755);
	mkdir(place_path("d/directory"), 0755);
	place_write("d/b", SERVICE("b"));
	place_write("d/A", SERVICE("A"));
	place_write("d/c-1_x", SERVICE("c"));
	place_write("d/x.conf", SERVICE("dot"));
	place_write("d/.hidden", SERVICE("hidden"));
	place_write("d/backup~", SERVICE("backup"));
	place_write("d/tilde~inside", SERVICE("tilde"));
	ck_assert_int_eq(symlink("b", place_path("d/link")), 0);
	settings = configuration_load("includedir d\n");
	ck_assert_uint_eq(settings->count, 5);
	ck_assert_str_eq(settings->services[0]->id, "A");
	ck_assert_str_eq(settings->services[1]->id, "b");
	ck_assert_str_eq(settings->services[2]->id, "c");
	ck_assert_str_eq(settings->services[3]->id, "b");
	ck_assert_str_eq(settings->services[4]->id, "tilde");
	ck_assert(configuration_said(WARNING, 1, "is not a regular file. It is being skipped."));
	ck_assert(configuration_said(ADVICE, 1, "x.conf is not read, as it has a dot in its name"));
	ck_assert(configuration_said(ADVICE, 1, "backup~ is not read, as it ends in ~"));
	ck_assert(!text_matches(configuration_complaints_text(), "hidden"));
	ck_assert_uint_eq(configuration_complaints(WARNING), 1);
}
END_TEST

START_TEST(a_dangling_link_is_an_error)
{
	mkdir(place_path("d"), 0755);
	ck_assert_int_eq(symlink("nowhere", place_path("d/link")), 0);
	place_write("d/x", SERVICE("x"));
	configuration_load("includedir d\n");
	ck_assert_ptr_nonnull(configuration_service("x"));
	ck_assert(configuration_said(ERROR, 1, "d/link: No such file or directory"));
}
END_TEST

START_TEST(tells_of_what_it_passes_over_only_when_asked)
{
	mkdir(place_path("d"), 0755);
	place_write("d/x.conf", SERVICE("x"));
	load_options.advise = false;
	configuration_load("includedir d\n");
	ck_assert_uint_eq(load_problems.count, 0);
}
END_TEST

START_TEST(a_file_may_not_include_itself)
{
	place_write("one", "include two\n" SERVICE("one"));
	place_write("two", "include one\n" SERVICE("two"));
	configuration_load("include one\ninclude usherd.conf\n" SERVICE("a"));
	ck_assert_ptr_nonnull(configuration_service("one"));
	ck_assert_ptr_nonnull(configuration_service("two"));
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert(configuration_said(ERROR, 1, "/one: includes itself"));
	ck_assert(configuration_said(ERROR, 2, "/usherd.conf: includes itself"));
	ck_assert_uint_eq(configuration_complaints(ERROR), 2);
}
END_TEST

START_TEST(a_file_may_be_included_twice)
{
	place_write("one", SERVICE("one"));
	ck_assert_uint_eq(configuration_load("include one\ninclude one\n")->count, 2);
}
END_TEST

START_TEST(includes_have_a_depth)
{
	for (int i = 0; i < INCLUDE_DEPTH_MAX + 2; i++)
		place_write(textf("f%d", i),
			    "include f%d\nservice s%d\n{\ntype = UNLISTED\nport = 0\n"
			    "socket_type = stream\nwait = no\nuser = root\nserver = /bin/sh\n}\n",
			    i + 1, i);
	configuration_load("include f0\n");
	/* top.conf and usherd.conf are the first two. */
	ck_assert_ptr_nonnull(configuration_service(textf("s%d", INCLUDE_DEPTH_MAX - 2)));
	ck_assert_ptr_null(configuration_service(textf("s%d", INCLUDE_DEPTH_MAX - 1)));
	ck_assert(text_matches(configuration_complaints_text(), "is included too deeply"));
	ck_assert_uint_eq(configuration_complaints(WARNING), 1);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_an_error)
{
	char path[5000];

	memset(path, 'x', sizeof path);
	path[sizeof path - 1] = '\0';
	configuration_load("include %s\nincludedir %s\n" SERVICE("a"), path, path);
	ck_assert(configuration_said(ERROR, 1, "the path is too long"));
	ck_assert(configuration_said(ERROR, 2, "the path is too long"));
	ck_assert_ptr_nonnull(configuration_service("a"));
}
END_TEST

/* --- files that are not read --------------------------------------------------------- */

START_TEST(a_missing_top_file_refuses_the_load)
{
	load_options.config = place_path("no-such");
	ck_assert_ptr_null(configuration_load_again());
	ck_assert(configuration_said(ERROR, 0, "no-such: No such file or directory"));
}
END_TEST

START_TEST(no_top_file_need_be_given)
{
	load_options.config = NULL;
	ck_assert_uint_eq(configuration_load_again()->count, 0);
}
END_TEST

START_TEST(a_directory_is_no_file)
{
	load_options.config = place_path(".");
	ck_assert_ptr_null(configuration_load_again());
	ck_assert(configuration_said(ERROR, 0, "is not a regular file"));
}
END_TEST

START_TEST(a_fifo_is_no_file)
{
	ck_assert_int_eq(mkfifo(place_path("fifo"), 0600), 0);
	configuration_load("include fifo\n" SERVICE("a"));
	ck_assert(configuration_said(ERROR, 1, "is not a regular file"));
	ck_assert_ptr_nonnull(configuration_service("a"));
}
END_TEST

START_TEST(an_endless_file_is_not_read)
{
	place_write("large", "# large\n");
	ck_assert_int_eq(truncate(place_path("large"), (1 << 30)), 0);
	configuration_load("include large\n" SERVICE("a"));
	ck_assert(configuration_said(ERROR, 1, "is too large for a configuration file"));
	ck_assert_ptr_nonnull(configuration_service("a"));
}
END_TEST

START_TEST(root_reads_nothing_that_everybody_may_write)
{
	bool is_root = geteuid() == 0;

	place_write("open", SERVICE("open"));
	chmod(place_path("open"), 0666);
	configuration_load("include open\n" SERVICE("a"));
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert((configuration_service("open") == NULL) == is_root);
	ck_assert(configuration_said(ERROR, 1, "is writable by everybody") == is_root);
	chmod(place_path("usherd.conf"), 0666);
	chmod(place_path("top.conf"), 0666);
	ck_assert((configuration_load_again() == NULL) == is_root);
}
END_TEST

START_TEST(root_reads_no_files_of_others)
{
	place_write("other", SERVICE("other"));
	ck_assert_int_eq(chown(place_path("other"), 1, 1), 0);
	configuration_load("include other\n" SERVICE("a"));
	ck_assert_ptr_null(configuration_service("other"));
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert(configuration_said(ERROR, 1,
				     textf("belongs to uid 1, so others could decide what "
					   "root does (chown root %s)",
					   place_path("other"))));
}
END_TEST

/* The administrator named a file of that user, and so trusts the user. */
START_TEST(root_is_warned_of_files_of_the_top_files_owner)
{
	place_write("other", SERVICE("other"));
	ck_assert_int_eq(chown(place_path("top.conf"), 1, 1), 0);
	ck_assert_int_eq(chown(place_path("other"), 1, 1), 0);
	configuration_load("include other\n");
	ck_assert_ptr_nonnull(configuration_service("other"));
	ck_assert(configuration_said(WARNING, 1, "is not owned by root"));
}
END_TEST

/* --- bounds --- */

static char *repeat(const char *text, size_t count)
{
	size_t length = strlen(text);
	char *all = keep(malloc(length * count + 1));

	for (size_t i = 0; i < count; i++)
		memcpy(all + i * length, text, length);
	all[length * count] = '\0';
	return all;
}

/* A line that goes beyond a bound, and the error. */
static const struct {
	const char *before, *repeated, *after;
	size_t count;
	const char *said;
} excesses[] = {
	{ "server_args = ", "x", "", 128 << 10, NULL },
	{ "server_args = ", "x", "", (128 << 10) + 1, "a word of more than 128 KiB" },
	{ "server_args = ", "x", "", 10 << 20, "a line of more than 1 MiB" },
	{ "server_args = \"", "x", "\"", (128 << 10) + 1, "a word of more than 128 KiB" },
	{ "# ", "x", "", 2 << 20, NULL },
	{ "env = ", "A=1 ", "", 1001, "there are more than 1000 variables" },
#ifndef __SANITIZE_ADDRESS__ /* libconfuse enlarges its list word by word: minutes there */
	{ "passenv = ", "A ", "", 1 << 17, NULL },
	{ "passenv = B\npassenv += ", "A ", "", 1 << 17, "passenv has more than 131072 values" },
#endif
};

START_TEST(what_one_line_may_hold_is_bounded)
{
	const char *said = excesses[_i].said;

	configuration_load(OPEN("long") "%s%s%s\n}\n" SERVICE("a"), excesses[_i].before,
			   repeat(excesses[_i].repeated, excesses[_i].count), excesses[_i].after);
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert((configuration_service("long") == NULL) == (said != NULL));
	ck_assert_msg(!said || configuration_said(ERROR, strchr(excesses[_i].before, '\n') ? 10 : 9,
						  said),
		      "%.999s", configuration_complaints_text());
}
END_TEST

START_TEST(a_name_without_end_is_an_error)
{
	configuration_load("service %s\n{\n}\n" SERVICE("a"), repeat("x", (128 << 10) + 1));
	ck_assert(configuration_said(ERROR, 1, "a word of more than 128 KiB"));
	ck_assert_ptr_nonnull(configuration_service("a"));
}
END_TEST

/* Ten files that each include ten of the next level: 10^14 in all. */
START_TEST(a_tree_of_includes_is_an_error_before_it_is_read)
{
	for (int level = 0; level < 14; level++)
		place_write(textf("level%d", level), "%s",
			    repeat(textf("include level%d\n", level + 1), 10));
	place_write("level14", "# a leaf\n");
	ck_assert_ptr_null(configuration_load("include level0\n"));
	ck_assert_uint_eq(configuration_complaints(ERROR), 1);
	ck_assert(configuration_said(ERROR, 1,
				     "there are more than 20000 files; nothing is loaded") ||
		  strstr(configuration_complaints_text(), "there are more than 20000 files"));
}
END_TEST

START_TEST(entries_without_end_are_an_error)
{
	ck_assert_ptr_null(configuration_load("%s", repeat("service a\n{\n}\n", 100001)));
	ck_assert(configuration_said(ERROR, 3 * (100000 - 2) + 1,
				     "there are more than 100000 entries"));
}
END_TEST

#ifndef __SANITIZE_ADDRESS__
START_TEST(values_of_defaults_in_every_service_are_bounded)
{
	ck_assert_ptr_null(configuration_load("defaults\n{\npassenv =%s\n}\n%s",
					      repeat(" A", 1 << 16), repeat(SERVICE("a"), 65)));
	ck_assert(text_matches(configuration_complaints_text(),
			       "more than 4194304 values, those of "
			       "defaults counted in each; nothing is loaded"));
}
END_TEST
#endif

START_TEST(a_port_map_that_is_too_large_is_an_error_of_who_needs_it)
{
	ck_assert_int_eq(truncate(place_path("services"), (16 << 20) + 1), 0);
	configuration_load(SERVICE("a") "service telnet\n{\n\tsocket_type = stream\n\twait = no\n"
					"\tuser = root\n\tserver = /bin/cat\n}\n");
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert_ptr_null(configuration_service("telnet"));
	ck_assert(configuration_said(ERROR, 10,
				     "service telnet: the port of telnet/tcp is not known, "
				     "as the port map"));
}
END_TEST

/* Ways in which other users can change an included file, and the remedy. */
static const struct {
	mode_t directory, file;
	uid_t owner;        /* of the directory */
	gid_t group;        /* of both */
	const char *remedy; /* NULL: no other user can */
} shared[] = {
	{ 0755, 0644, 0, 0, NULL },
	{ 0775, 0664, 0, 0, NULL },
	{ 01777, 0644, 0, 0, NULL },
	{ 0777, 0644, 0, 0, "(chmod o-w %s)" },
	{ 0775, 0644, 0, 7, "(chmod g-w %s)" },
	{ 0755, 0664, 0, 7, "(chmod g-w %s/file)" },
	{ 0755, 0644, 7, 0, "(chown root %s)" },
};

static void make_shared(int i, const char *text)
{
	ck_assert_int_eq(mkdir(place_path("shared"), 0755), 0);
	place_write("shared/file", "%s", text);
	ck_assert_int_eq(chown(place_path("shared/file"), 0, shared[i].group), 0);
	ck_assert_int_eq(chmod(place_path("shared/file"), shared[i].file), 0);
	ck_assert_int_eq(chown(place_path("shared"), shared[i].owner, shared[i].group), 0);
	ck_assert_int_eq(chmod(place_path("shared"), shared[i].directory), 0);
}

static void check_shared(int i)
{
	bool is_refused = shared[i].remedy != NULL;
	const char *directory = place_path("shared"), *at;
	const char *remedy = "";

	if (is_refused) {
		at = strstr(shared[i].remedy, "%s");
		remedy = textf("%.*s%s%s", (int)(at - shared[i].remedy), shared[i].remedy,
			       directory, at + 2);
	}
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert((configuration_service("inner") == NULL) == is_refused);
	ck_assert_msg(!is_refused || configuration_said(ERROR, 1, remedy), "nothing like %s in %s",
		      remedy, configuration_complaints_text());
	ck_assert_uint_eq(configuration_complaints(ERROR), is_refused);
}

START_TEST(root_includes_no_file_that_others_can_change)
{
	make_shared(_i, SERVICE("inner"));
	configuration_load("include shared/file\n" SERVICE("a"));
	check_shared(_i);
}
END_TEST

START_TEST(root_includes_no_directory_that_others_can_change)
{
	make_shared(_i, SERVICE("inner"));
	configuration_load("includedir shared\n" SERVICE("a"));
	check_shared(_i);
}
END_TEST

START_TEST(root_includes_what_a_link_of_its_own_leads_to)
{
	make_shared(_i, SERVICE("inner"));
	ck_assert_int_eq(symlink("shared/file", place_path("link")), 0);
	configuration_load("include link\n" SERVICE("a"));
	check_shared(_i);
}
END_TEST

/* The refused file may contain the access lists for all services. */
START_TEST(refused_defaults_refuse_the_load)
{
	make_shared(_i, SERVICE("inner") "defaults\n{\n\tonly_from = 127.0.0.1\n}\n");
	ck_assert((configuration_load("includedir shared\n" SERVICE("a")) == NULL) ==
		  (shared[_i].remedy != NULL));
	ck_assert(!shared[_i].remedy ||
		  configuration_said(ERROR, 10, "all services may depend on this defaults"));
}
END_TEST

START_TEST(root_reads_no_top_file_that_others_can_change)
{
	ck_assert_int_eq(chown(place_path("top.conf"), 0, 7), 0);
	ck_assert_int_eq(chmod(place_path("top.conf"), 0664), 0);
	ck_assert_ptr_null(configuration_load(SERVICE("a")));
	ck_assert(configuration_said(ERROR, 0, "is writable by gid 7"));
}
END_TEST

START_TEST(a_port_map_that_others_can_change_is_an_error_of_who_needs_it)
{
	ck_assert_int_eq(chmod(place_path("services"), 0666), 0);
	configuration_load(SERVICE("a") "service telnet\n{\n\tsocket_type = stream\n\twait = no\n"
					"\tuser = root\n\tserver = /bin/cat\n}\n");
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert_ptr_null(configuration_service("telnet"));
	ck_assert(configuration_said(ERROR, 0, textf("(chmod o-w %s)", place_path("services"))));
	ck_assert_msg(configuration_said(ERROR, 10,
					 "service telnet: the port of telnet/tcp is not "
					 "known, as the port map"),
		      "%s", configuration_complaints_text());
}
END_TEST

START_TEST(others_are_told_what_root_would_refuse)
{
	place_write("open", SERVICE("open"));
	ck_assert_int_eq(chmod(place_path("open"), 0666), 0);
	ck_assert_int_eq(seteuid(54321), 0);
	configuration_load_again();
	ck_assert_uint_eq(configuration_complaints(WARNING), 0);
	ck_assert_int_eq(seteuid(0), 0);
	place_write("usherd.conf", "include open\ninclude open\n");
	ck_assert_int_eq(seteuid(54321), 0);
	configuration_load_again();
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_ptr_nonnull(configuration_service("open"));
	ck_assert(configuration_said(ADVICE, 1, "would refuse it if root ran it"));
	ck_assert(configuration_said(ADVICE, 1, textf("(chmod o-w %s)", place_path("open"))));
	ck_assert(!configuration_said(ADVICE, 2, "would refuse it if root ran it"));
}
END_TEST

/* --- programs --- */

static void load_program(const char *user, const char *path)
{
	configuration_load(
		"service own\n{\n\ttype = UNLISTED\n\tport = 1001\n\tsocket_type = stream\n"
		"\twait = no\n\tuser = %s\n\tserver = %s\n}\n" SERVICE("a"),
		user, path);
	ck_assert_ptr_nonnull(configuration_service("a"));
}

START_TEST(root_runs_no_program_that_others_can_change)
{
	const char *path = place_script("program", "exit 0"), *script;

	ck_assert_int_eq(chown(path, 7, 7), 0);
	load_program("root", path);
	ck_assert_ptr_null(configuration_service("own"));
	ck_assert(configuration_said(ERROR, 1,
				     textf("service own: server: %s belongs to uid 7, so "
					   "others could decide what root does "
					   "(chown root %s)",
					   path, path)));
	load_program("7", path);
	ck_assert_ptr_nonnull(configuration_service("own"));
	script = place_path("script");
	place_write("script", "#!%s\n", path);
	ck_assert_int_eq(chmod(script, 0755), 0);
	load_program("root", script);
	ck_assert_ptr_null(configuration_service("own"));
	ck_assert_int_eq(chown(path, 0, 0), 0);
	load_program("root", script);
	ck_assert_ptr_nonnull(configuration_service("own"));
}
END_TEST

START_TEST(an_unreadable_file_is_an_error)
{
	if (geteuid() == 0)
		return;
	place_write("closed", SERVICE("closed"));
	chmod(place_path("closed"), 0);
	configuration_load("include closed\n");
	ck_assert(configuration_said(ERROR, 1, "Permission denied"));
}
END_TEST

/* --- the daemon's own ----------------------------------------------------------------- */

START_TEST(port_maps_are_found_beside_the_file_that_names_them)
{
	mkdir(place_path("sub"), 0755);
	place_write("sub/map", "alpha 1001/tcp\n");
	place_write("sub/more", "daemon\n{\nport_map += map\n}\n");
	configuration_load("include sub/more\nservice alpha\n{\nsocket_type = stream\nwait = no\n"
			   "user = root\nserver = /bin/sh\n}\n");
	ck_assert_int_eq(configuration_service("alpha")->port, 1001);
	ck_assert_uint_eq(configuration_complaints(WARNING), 0);
}
END_TEST

START_TEST(a_missing_port_map_is_a_warning)
{
	configuration_load("daemon\n{\nport_map += no-such\n}\n" SERVICE("a"));
	ck_assert_ptr_nonnull(configuration_service("a"));
	ck_assert(text_matches(configuration_complaints_text(), "warning .*no-such: No such file"));
}
END_TEST

START_TEST(the_status_file_may_be_moved)
{
	const struct settings *settings =
		configuration_load("daemon\n{\nstatus_file = status\n}\n");

	ck_assert_str_eq(settings->daemon.status_file, place_path("status"));
	settings = configuration_load("daemon\n{\nstatus_file = /a/b\nstatus_file = /c\n}\n");
	ck_assert_str_eq(settings->daemon.status_file, "/a/b");
	ck_assert(configuration_said(WARNING, 4, "status_file is already set"));
}
END_TEST

START_TEST(an_error_in_daemon_refuses_the_load)
{
	ck_assert_ptr_null(configuration_load("daemon\n{\nno_such = 1\n}\n"));
	ck_assert_ptr_null(configuration_load("daemon\n{\nport = 1\n}\n"));
	ck_assert_ptr_null(configuration_load("daemon\n{\nstatus_file =\n}\n"));
}
END_TEST

/* --- printing --------------------------------------------------------------------------- */

static const char *const entries[] = {
	SERVICE("a"),
	OPEN("a") "env = \"A=b c\" \"B=\\\"\\\\\" C=\n}\n",
	OPEN("a") "server_args = -c a'b \"c d\" \"\" \"#x\" # y \\ a\\b \"\\\"\"\n}\n",
	OPEN("a") "server_args = \"a\tb\" \"tab\tand # more\" \xc3\xa9 $X ${Y} ;|*\n}\n",
	OPEN("a") "only_from = 10.1.{1,2} ::1 .example.org\nonly_from -= 10.1.1.0\nno_access =\n}\n",
	OPEN("a") "log_type = FILE \"/tmp/with blank\" 1K 2M\nbanner = \"/a b\"\nnice = -5\n}\n",
	OPEN("a") "flags = NAMEINARGS IPv6 REUSE\nserver_args = x\nid = other\n}\n",
	OPEN("a") "passenv = PATH\npassenv += HOME\numask = 022\nrlimit_as = 3M\n}\n",
	("defaults\n{\nonly_from = a b\ncps = 3 4\ninstances = 5\nlog_on_failure = HOST\n}\n" OPEN(
		"a") "only_from -= a\nlog_on_failure += ATTEMPT\n}\n" SERVICE("b")),
	"service echo\n{\ntype = INTERNAL\nsocket_type = dgram\nwait = yes\n}\n",
	"service r\n{\ntype = UNLISTED\nport = 7\nsocket_type = stream\nwait = no\n"
	"redirect = ::1 telnet\nlog_on_success = TRAFFIC\n}\n",
};

START_TEST(what_is_printed_loads_as_the_same)
{
	const char *printed, *printed_again;

	ck_assert_ptr_nonnull(configuration_load("%s", entries[_i]));
	ck_assert_msg(configuration_complaints(WARNING) == 0, "%s",
		      configuration_complaints_text());
	printed = configuration_print();
	ck_assert_str_ne(printed, "");
	ck_assert_ptr_nonnull(configuration_load("%s", printed));
	ck_assert_msg(configuration_complaints(WARNING) == 0, "%s",
		      configuration_complaints_text());
	printed_again = configuration_print();
	ck_assert_str_eq(printed_again, printed);
}
END_TEST

START_TEST(effective_attributes_are_printed)
{
	configuration_load(
		"defaults\n{\ncps = 3 4\n}\nservice a\n{\nPORT = 7\nserver = /bin/sh # x\n"
		"type = UNLISTED\nuser = root\nwait = no\nprotocol = tcp\n}\n");
	ck_assert_str_eq(
		configuration_service("a")->canonical,
		"\ttype            = UNLISTED\n\tprotocol        = tcp\n"
		"\twait            = no\n\tuser            = root\n"
		"\tserver          = /bin/sh\n\tport            = 7\n\tcps             = 3 4\n");
}
END_TEST

/* CRLF, a byte order mark, tabs and missing blanks change nothing. */
START_TEST(form_does_not_matter)
{
	const char *plain;

	configuration_load(OPEN("a") "env = A=1\ninstances = 3\n}\n");
	plain = configuration_print();
	configuration_load(
		"\xef\xbb\xbfSERVICE a ignored {\r\n\ttype=UNLISTED # x\r\n\r\nPort\t=\t0\r\n"
		"socket_type =stream\r\nwait= no\r\nUSER = root\r\nserver = /bin/sh\r\n"
		"env = A=1\r\n instances = 3 # servers\r\n}");
	ck_assert_uint_eq(configuration_complaints(WARNING), 0);
	ck_assert_str_eq(configuration_print(), plain);
}
END_TEST

static void add_tests_of_defaults(Suite *suite)
{
	TCase *tests = tcase_create("defaults");
	int count = (int)(sizeof merges / sizeof merges[0]);

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	tcase_add_loop_test(tests, services_build_on_defaults, 0, count);
	tcase_add_loop_test(tests, defaults_may_come_after_services, 0, count);
	tcase_add_loop_test(tests, defaults_may_come_from_another_file, 0, count);
	tcase_add_test(tests, defaults_of_several_files_add_up);
	tcase_add_test(tests, defaults_of_several_files_may_set_nothing);
	tcase_add_test(tests, one_defaults_counts_in_a_file);
	tcase_add_test(tests, a_removal_takes_what_is_left_of_a_factorised_address);
	tcase_add_loop_test(tests, an_error_in_defaults_refuses_the_load, 0,
			    (int)(sizeof fatal / sizeof fatal[0]));
	tcase_add_test(tests, what_has_no_place_in_defaults_is_a_warning);
	suite_add_tcase(suite, tests);
}

static void add_tests_of_services(Suite *suite)
{
	TCase *tests = tcase_create("services");

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	tcase_add_test(tests, a_broken_entry_costs_only_itself);
	tcase_add_test(tests, a_broken_entry_is_known_by_its_id);
	tcase_add_test(tests, nothing_revives_a_broken_entry);
	tcase_add_test(tests, several_faults_are_told_in_one_run);
	tcase_add_test(tests, text_between_entries_may_have_been_entries);
	tcase_add_test(tests, disabled_entries_are_left_out_quietly);
	tcase_add_test(tests, what_stands_before_a_disabled_entry_is_still_an_error);
	tcase_add_loop_test(tests, defaults_choose_services, 0,
			    (int)(sizeof choices / sizeof choices[0]));
	tcase_add_test(tests, services_stand_in_the_order_of_the_files);
	tcase_add_test(tests, ids_default_to_names);
	tcase_add_test(tests, an_inherited_log_is_common);
	suite_add_tcase(suite, tests);
}

static void add_tests_of_files(Suite *suite)
{
	TCase *tests = tcase_create("files");

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	tcase_add_test(tests, includes_files);
	tcase_add_test(tests, a_missing_include_is_an_error_that_costs_nothing_else);
	tcase_add_test(tests, includes_directories);
	tcase_add_test(tests, a_dangling_link_is_an_error);
	tcase_add_test(tests, tells_of_what_it_passes_over_only_when_asked);
	tcase_add_test(tests, a_file_may_not_include_itself);
	tcase_add_test(tests, a_file_may_be_included_twice);
	tcase_add_test(tests, includes_have_a_depth);
	tcase_add_test(tests, a_path_that_is_too_long_is_an_error);
	tcase_add_test(tests, a_missing_top_file_refuses_the_load);
	tcase_add_test(tests, no_top_file_need_be_given);
	tcase_add_test(tests, a_directory_is_no_file);
	tcase_add_test(tests, a_fifo_is_no_file);
	tcase_add_test(tests, an_endless_file_is_not_read);
	tcase_add_test(tests, root_reads_nothing_that_everybody_may_write);
	tcase_add_test(tests, an_unreadable_file_is_an_error);
	suite_add_tcase(suite, tests);
}

static void add_tests_of_the_whole(Suite *suite)
{
	TCase *tests = tcase_create("whole");

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	tcase_add_test(tests, port_maps_are_found_beside_the_file_that_names_them);
	tcase_add_test(tests, a_missing_port_map_is_a_warning);
	tcase_add_test(tests, the_status_file_may_be_moved);
	tcase_add_test(tests, an_error_in_daemon_refuses_the_load);
	tcase_add_loop_test(tests, what_is_printed_loads_as_the_same, 0,
			    (int)(sizeof entries / sizeof entries[0]));
	tcase_add_test(tests, effective_attributes_are_printed);
	tcase_add_test(tests, form_does_not_matter);
	suite_add_tcase(suite, tests);
}

START_TEST(what_is_printed_keeps_to_the_bounds)
{
	const char *words = repeat("A_NAME_OF_TWENTY_NINE_LETTERS ", 18000), *line;
	char *canonical;

	configuration_load(OPEN("a") "passenv = %s\npassenv += %s\n}\n", words, words);
	canonical = keep(strdup(configuration_service("a")->canonical));
	for (line = canonical; *line; line += strcspn(line, "\n") + 1)
		ck_assert_uint_le(strcspn(line, "\n"), LINE_LENGTH_MAX);
	configuration_load("service a\n{\n%s}\n", canonical);
	ck_assert_str_eq(configuration_service("a")->canonical, canonical);
}
END_TEST

static void add_tests_of_bounds(Suite *suite)
{
	TCase *tests = tcase_create("bounds");

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	tcase_set_timeout(tests, 240);
	tcase_add_test(tests, what_is_printed_keeps_to_the_bounds);
	tcase_add_loop_test(tests, what_one_line_may_hold_is_bounded, 0,
			    sizeof excesses / sizeof excesses[0]);
	tcase_add_test(tests, a_name_without_end_is_an_error);
	tcase_add_test(tests, a_tree_of_includes_is_an_error_before_it_is_read);
	tcase_add_test(tests, entries_without_end_are_an_error);
#ifndef __SANITIZE_ADDRESS__ /* it would take a minute */
	tcase_add_test(tests, values_of_defaults_in_every_service_are_bounded);
#endif
	tcase_add_test(tests, a_port_map_that_is_too_large_is_an_error_of_who_needs_it);
	suite_add_tcase(suite, tests);
}

static void add_trust_tests(Suite *suite)
{
	const TTest *const looped[] = {
		root_includes_no_file_that_others_can_change,
		root_includes_no_directory_that_others_can_change,
		root_includes_what_a_link_of_its_own_leads_to,
		refused_defaults_refuse_the_load,
	};
	TCase *tests = tcase_create("trust");

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	for (size_t i = 0; i < sizeof looped / sizeof looped[0]; i++)
		tcase_add_loop_test(tests, looped[i], 0, sizeof shared / sizeof shared[0]);
	tcase_add_test(tests, root_reads_no_files_of_others);
	tcase_add_test(tests, root_is_warned_of_files_of_the_top_files_owner);
	tcase_add_test(tests, root_reads_no_top_file_that_others_can_change);
	tcase_add_test(tests, a_port_map_that_others_can_change_is_an_error_of_who_needs_it);
	tcase_add_test(tests, others_are_told_what_root_would_refuse);
	tcase_add_test(tests, root_runs_no_program_that_others_can_change);
	suite_add_tcase(suite, tests);
}

Suite *loader_suite(void)
{
	Suite *suite = suite_create("loader");

	add_tests_of_defaults(suite);
	add_tests_of_services(suite);
	add_tests_of_files(suite);
	add_tests_of_the_whole(suite);
	add_tests_of_bounds(suite);
	if (geteuid() == 0)
		add_trust_tests(suite);
	return suite;
}
