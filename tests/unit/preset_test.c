/* What `preset` stands for, and what goes before it. */
#include "config/preset.h"

#include "config/attributes.h"
#include "support/configuration.h"
#include "support/place.h"

#include <check.h>
#include <string.h>

#define SERVICE \
	"type = UNLISTED\nport = 1000\nsocket_type = stream\nwait = no\nuser = daemon\n" \
	"server = /bin/sh\n"

static const struct service_settings *load(const char *before, const char *lines)
{
	configuration_load("%sservice a\n{\n%s}\n", before, lines);
	return configuration_service("a");
}

/* --- the table --- */

START_TEST(each_line_is_an_attribute_of_services)
{
	const struct preset_line *line = preset_lines("JAIL");

	ck_assert_ptr_nonnull(line);
	for (; line->attribute; line++) {
		int index = attribute_find(line->attribute);

		ck_assert_msg(index >= 0, "%s", line->attribute);
		ck_assert(attributes[index].places & IN_SERVICE);
		for (const struct preset_line *other = line + 1; other->attribute; other++)
			ck_assert_str_ne(other->attribute, line->attribute);
	}
	ck_assert_ptr_null(preset_lines("jai"));
	ck_assert_ptr_null(preset_lines(""));
}
END_TEST

static const char *printed(const struct preset_line *line)
{
	const char *values = *line->values ? textf(" %s", line->values) : "";

	return textf("\t%-15s =%s\n", line->attribute, values);
}

START_TEST(it_is_printed_as_its_lines)
{
	const char *first, *text;

	ck_assert_ptr_nonnull(load("", SERVICE "preset = jail\n"));
	ck_assert_uint_eq(configuration_complaints(WARNING), 0);
	first = configuration_print();
	for (const struct preset_line *line = preset_lines("jail"); line->attribute; line++)
		ck_assert_msg(strstr(first, printed(line)) != NULL, "%s:\n%s", printed(line),
			      first);
	ck_assert_ptr_null(strstr(first, "preset"));
	configuration_load("%s", first);
	text = configuration_print();
	ck_assert_str_eq(text, first);
}
END_TEST

/* --- what goes before it --- */

static const struct {
	const char *before, *lines;
	const char *has, *lacks; /* regular expressions for what is printed; NULL: none */
} overridden[] = {
	{ "", "memory = 1G\npreset = jail\n", "memory +=( 1G)$", "memory +=( 256M)$" },
	{ "", "preset = jail\nmemory = 1G\n", "memory +=( 1G)$", "memory +=( 256M)$" },
	{ "", "preset = JAIL\nmemory = UNLIMITED\n", "memory +=( UNLIMITED)$", "memory += 256M" },
	{ "", "preset = jail\nmax_runtime = 0\n", "max_runtime +=( 0)$", "max_runtime += 600" },
	{ "", "preset = jail\npassenv += PATH\n", "passenv +=( PATH)$", NULL },
	{ "", "preset = jail\npassenv = PATH\n", "passenv +=( PATH)$", NULL },
	/* defaults */
	{ "defaults\n{\npassenv = HOME\n}\n", "preset = jail\n", "passenv +=$", NULL },
	{ "defaults\n{\npassenv = HOME\n}\n", "preset = jail\npassenv += PATH\n",
	  "passenv +=( PATH)$", NULL },
	{ "defaults\n{\nstderr = log\nprocesses_at_exit = keep\numask = 0\n}\n", "preset = jail\n",
	  "stderr +=( null)$", "keep|umask += 0$|log" },
	{ "defaults\n{\ninstances = 3\n}\n", "preset = jail\n", "instances +=( 3)$",
	  "instances += 50" },
	{ "defaults\n{\ninstances = UNLIMITED\nper_source = 99\n}\n",
	  "preset = jail\nper_source = 1\n", "per_source +=( 1)$", "instances += 50" },
	/* Every protection can be taken back. */
	{ "",
	  "preset = jail\nroot = none\nscratch = none\nproc = no\ndevices = host\n"
	  "network = host\nno_new_privs = no\nsyscalls = all\n",
	  "network +=( host)$", "root += /|scratch += /|devices += null" },
	{ "", "preset = jail\nscratch = /var/tmp 1M\n", "scratch +=( /var/tmp 1M)$", "/tmp 16M" },
	{ "", "preset = jail\ndevices += tty\n", "devices +=( null zero full random urandom tty)$",
	  NULL },
	{ "", "preset = jail\nsyscalls = default +ptrace\n", "syscalls +=( default .ptrace)$",
	  "syscalls += default$" },
	/* What is only for connections. */
	{ "", "preset = jail\n", "lingering_close +=( yes)$", NULL },
	{ "", "preset = jail\nlingering_close = no\n", "lingering_close +=( no)$", NULL },
};

START_TEST(the_entry_goes_before_it)
{
	const char *text;

	ck_assert_msg(load(overridden[_i].before, textf("%s%s", SERVICE, overridden[_i].lines)) !=
			      NULL,
		      "%s", configuration_complaints_text());
	text = configuration_print();
	ck_assert_msg(!overridden[_i].has || text_matches(text, overridden[_i].has), "%s in\n%s",
		      overridden[_i].has, text);
	ck_assert_msg(!overridden[_i].lacks || !text_matches(text, overridden[_i].lacks),
		      "%s in\n%s", overridden[_i].lacks, text);
}
END_TEST

static const char *const without_connections[] = {
	"type = UNLISTED\nport = 1\nsocket_type = dgram\nwait = yes\nuser = daemon\n"
	"server = /bin/sh\n",
	"type = UNLISTED\nport = 1\nprotocol = udp\nwait = yes\nuser = daemon\nserver = /bin/sh\n",
	"type = UNLISTED\nport = 1\nsocket_type = stream\nwait = yes\nuser = daemon\n"
	"server = /bin/sh\n",
};

START_TEST(other_services_get_what_is_for_them)
{
	load("", textf("%spreset = jail\n", without_connections[_i]));
	ck_assert_uint_eq(configuration_complaints(WARNING), 0);
	ck_assert(!text_matches(configuration_print(), "lingering_close|kill_on_disconnect"));
	ck_assert(text_matches(configuration_print(), "^\tmemory +=( 256M)$"));
}
END_TEST

/* --- faults --- */

#define FOR_SERVERS "service a: preset is for services with a server; remove it"

static const struct {
	const char *lines;
	int line;
	const char *said;
} faults[] = {
	{ SERVICE "preset = jial\n", 9, "preset: unknown value \"jial\"; did you mean \"jail\"?" },
	{ "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = no\nredirect = ::1 2\n"
	  "preset = jail\n",
	  1, FOR_SERVERS },
	{ "type = UNLISTED INTERNAL\nport = 1\nsocket_type = stream\nwait = no\nflags = SENSOR\n"
	  "preset = jail\n",
	  1, FOR_SERVERS },
	{ "type = UNLISTED\nport = 1\nsocket_type = stream\nwait = no\nuser = root\n"
	  "server = /bin/sh\npreset = jail\n",
	  1, "service a: preset = jail can't confine root, who owns the system's files; choose" },
};

START_TEST(a_fault_is_told_once)
{
	ck_assert_ptr_null(load("", faults[_i].lines));
	ck_assert_msg(configuration_said(ERROR, faults[_i].line, faults[_i].said), "%s",
		      configuration_complaints_text());
	ck_assert_uint_eq(configuration_complaints(WARNING), 1);
}
END_TEST

Suite *preset_suite(void)
{
	Suite *suite = suite_create("preset");
	TCase *tests = tcase_create("preset");

	tcase_add_checked_fixture(tests, configuration_make, configuration_remove);
	tcase_add_test(tests, each_line_is_an_attribute_of_services);
	tcase_add_test(tests, it_is_printed_as_its_lines);
	tcase_add_loop_test(tests, the_entry_goes_before_it, 0,
			    sizeof overridden / sizeof overridden[0]);
	tcase_add_loop_test(tests, other_services_get_what_is_for_them, 0,
			    sizeof without_connections / sizeof without_connections[0]);
	tcase_add_loop_test(tests, a_fault_is_told_once, 0, sizeof faults / sizeof faults[0]);
	suite_add_tcase(suite, tests);
	return suite;
}
