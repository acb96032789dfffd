#include "import/readers.h"
#include "import/rules.h"
#include "import/words.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- addresses ---------------------------------------------------------------------------- */

/* TYPE:PARAMETERS,OPTION,OPTION=VALUE ... */
struct address {
	struct span type, parameters, options;
};

static struct address address_of(struct span word)
{
	struct address address = { .options = word };
	struct span head = span_take_part(&address.options, ',');

	address.parameters = head;
	address.type = span_take_part(&address.parameters, ':');
	return address;
}

/* What listens, and what it means for an entry. */
static const struct listening {
	const char *type, *flag;
	bool is_datagram;
} listenings[] = {
	{ "TCP-LISTEN", NULL, false },    { "TCP-L", NULL, false },
	{ "TCP4-LISTEN", "IPv4", false }, { "TCP4-L", "IPv4", false },
	{ "TCP6-LISTEN", "IPv6", false }, { "TCP6-L", "IPv6", false },
	{ "UDP-LISTEN", NULL, true },     { "UDP-L", NULL, true },
	{ "UDP4-LISTEN", "IPv4", true },  { "UDP4-L", "IPv4", true },
	{ "UDP6-LISTEN", "IPv6", true },  { "UDP6-L", "IPv6", true },
};

static const struct listening *listening_of(struct span type)
{
	for (size_t i = 0; i < sizeof listenings / sizeof listenings[0]; i++)
		if (span_is(type, listenings[i].type))
			return &listenings[i];
	return NULL;
}

/* --- options of addresses ------------------------------------------------------------------ */

/* ADDRESS/BITS or ADDRESS:MASK */
static bool convert_range(struct draft *draft, const struct rule *rule, struct span value)
{
	uint64_t part;
	struct span mask = value, address = span_take_until(&mask, ":");
	unsigned bits = 0;
	char network[64];

	if (span_is_empty(value))
		return false;
	if (memchr(value.start, '/', span_length(value)) || span_length(address) > 15)
		return convert_word(draft, rule, value);
	for (int i = 0; i < 4; i++) {
		if (!span_number(span_take_until(&mask, "."), 255, &part))
			return false;
		for (unsigned bit = 128; bit > 0 && (part & bit); bit >>= 1)
			bits++;
	}
	snprintf(network, sizeof network, "%.*s/%u", (int)span_length(address), address.start,
		 bits);
	draft_add(draft, rule->attribute, (struct span){ network, network + strlen(network) });
	return true;
}

static bool convert_children(struct draft *draft, const struct rule *rule, struct span value)
{
	draft_set(draft, "at_limit", "queue");
	return convert_limit(draft, rule, value);
}

static bool convert_family(struct draft *draft, const struct rule *rule, struct span value)
{
	bool is_ipv4 = span_is(value, "ip4") || span_is(value, "ipv4") || span_is(value, "4");

	(void)rule;
	if (!is_ipv4 && !span_is(value, "ip6") && !span_is(value, "ipv6") && !span_is(value, "6"))
		return false;
	draft_unset(draft, "flags");
	draft_add_flag(draft, is_ipv4 ? "IPv4" : "IPv6");
	return true;
}

/* An option without a value is true. */
static bool convert_switch(struct draft *draft, const struct rule *rule, struct span value)
{
	static const char yes[] = "yes";

	if (span_is_empty(value))
		value = (struct span){ yes, yes + strlen(yes) };
	return convert_yes_no(draft, rule, value);
}

static const char own_terminal[] = "the terminal of pty = yes passes every byte as it is";
static const char own_queue[] = "the daemon chooses the length of its queue";

/* Options of both addresses. */
static const struct rule option_rules[] = {
	{ "fork", NULL, NULL, NULL, NULL },
	{ "reuseaddr", NULL, NULL, NULL, NULL },
	{ "so-reuseaddr", NULL, NULL, NULL, NULL },
	{ "bind", "bind", convert_word, NULL, NULL },
	{ "su", "user", convert_word, NULL, NULL },
	{ "su-d", "user", convert_word, NULL, NULL },
	{ "substuser", "user", convert_word, NULL, NULL },
	{ "setuid", "user", convert_word, NULL, NULL },
	{ "setgid", "group", convert_word, NULL, NULL },
	{ "max-children", "instances", convert_children, NULL, NULL },
	{ "range", "only_from", convert_range, NULL, NULL },
	{ "tcpwrap", "libwrap", convert_word, NULL, NULL },
	{ "tcpwrappers", "libwrap", convert_word, NULL, NULL },
	{ "pf", "flags", convert_family, NULL, NULL },
	{ "ipv6only", "v6only", convert_switch, NULL, NULL },
	{ "ipv6-v6only", "v6only", convert_switch, NULL, NULL },
	{ "nodelay", "flags", convert_flag, "NODELAY", NULL },
	{ "tcp-nodelay", "flags", convert_flag, "NODELAY", NULL },
	{ "keepalive", "flags", convert_flag, "KEEPALIVE", NULL },
	{ "so-keepalive", "flags", convert_flag, "KEEPALIVE", NULL },
	{ "backlog", NULL, NULL, NULL, own_queue },
	{ "reuseport", NULL, NULL, NULL, "one daemon has the port" },
	{ "pty", "pty", convert_fixed, "yes", NULL },
	{ "stderr", "stderr", convert_fixed, "socket", NULL },
	{ "setsid", NULL, NULL, NULL, NULL },
	{ "ctty", NULL, NULL, NULL, NULL },
	{ "sigint", NULL, NULL, NULL, "end_command and kill_timeout decide how a session ends" },
	{ "echo", NULL, NULL, NULL, own_terminal },
	{ "raw", NULL, NULL, NULL, NULL },
	{ "rawer", NULL, NULL, NULL, NULL },
	{ "cfmakeraw", NULL, NULL, NULL, NULL },
	{ "sane", NULL, NULL, NULL, own_terminal },
	{ "icanon", NULL, NULL, NULL, own_terminal },
	{ "onlcr", NULL, NULL, NULL, own_terminal },
	{ "chroot", "root", convert_path, NULL, NULL },
	{ "cd", "directory", convert_path, NULL, NULL },
	{ "chdir", "directory", convert_path, NULL, NULL },
	{ "umask", "umask", convert_octal, NULL, NULL },
	RULES_END,
};

/* Without the quotes and backslashes; NULL when memory ran out. */
static char *unquoted(struct span text)
{
	struct text bytes = { 0 };
	char quote = '\0', *result;

	for (const char *c = text.start; c < text.end; c++) {
		if (*c == quote)
			quote = '\0';
		else if (!quote && (*c == '"' || *c == '\''))
			quote = *c;
		else
			text_add_char(&bytes, *c == '\\' && text.end - c > 1 ? *++c : *c);
	}
	result = text_copy_out(&bytes);
	text_free(&bytes);
	return result;
}

/* A daemon name is needed for tcpwrap: without a value that of socat. */
static struct span value_of(struct span option, char *text)
{
	if (!*text && (span_is(option, "tcpwrap") || span_is(option, "tcpwrappers")))
		return (struct span){ "socat", &"socat"[5] };
	return (struct span){ text, text + strlen(text) };
}

/* True when `fork` is among them. */
static bool apply_options(struct draft *draft, struct span options)
{
	bool forks = false;

	while (!span_is_empty(options)) {
		struct span value = span_take_part(&options, ',');
		struct span option = span_take_until(&value, "=");
		char *text = unquoted(value);

		if (!text)
			return forks;
		forks |= span_is(option, "fork");
		if (!span_is_empty(option))
			rules_apply(option_rules, draft, option, value_of(option, text));
		free(text);
	}
	return forks;
}

/* --- what is served ------------------------------------------------------------------------ */

static void set_words(struct draft *draft, struct span command)
{
	struct words words;

	if (!words_split(&words, command, WORDS_SHELL))
		import_note(draft->import, command, "there are too many words");
	for (size_t i = 0; i < words.count; i++) {
		if (i == 0)
			draft_set_program(draft, words_get(&words, i));
		else
			draft_add(draft, "server_args", words_get(&words, i));
	}
	words_free(&words);
}

/* socat takes the quotes of the whole address away, and then looks for words. */
static void serve_program(struct draft *draft, const struct address *address)
{
	char *command = unquoted(address->parameters);

	draft_set(draft, "stderr", "log");
	if (command)
		set_words(draft, (struct span){ command, command + strlen(command) });
	free(command);
}

/* A command of the shell. */
static void serve_command(struct draft *draft, const struct address *address)
{
	char *command = unquoted(address->parameters);

	draft_set(draft, "stderr", "log");
	draft_set(draft, "server", "/bin/sh");
	draft_set(draft, "server_args", "-c");
	if (command)
		draft_add(draft, "server_args",
			  (struct span){ command, command + strlen(command) });
	free(command);
}

/* HOST:PORT, where the host may be an IPv6 address in brackets. */
static void serve_target(struct draft *draft, const struct address *address)
{
	struct span host = address->parameters, port;
	const char *colon =
		span_is_empty(host) ? NULL : memrchr(host.start, ':', span_length(host));

	if (!colon)
		return;
	port = (struct span){ colon + 1, host.end };
	host.end = colon;
	if (span_length(host) > 2 && *host.start == '[' && host.end[-1] == ']')
		host = (struct span){ host.start + 1, host.end - 1 };
	if (span_is_empty(host) || span_is_empty(port))
		return;
	draft_add_pair(draft, "redirect", host, port);
}

static const struct {
	const char *type;
	void (*serve)(struct draft *, const struct address *);
} targets[] = {
	{ "EXEC", serve_program },        { "SYSTEM", serve_command },
	{ "SHELL", serve_command },       { "TCP", serve_target },
	{ "TCP4", serve_target },         { "TCP6", serve_target },
	{ "TCP-CONNECT", serve_target },  { "TCP4-CONNECT", serve_target },
	{ "TCP6-CONNECT", serve_target },
};

/* False when nothing here does the same. */
static bool serve(struct draft *draft, const struct address *address)
{
	for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
		if (!span_is(address->type, targets[i].type))
			continue;
		targets[i].serve(draft, address);
		return draft_has(draft, "server") || draft_has(draft, "redirect");
	}
	return false;
}

/* --- the command line ----------------------------------------------------------------------- */

/* What a Dockerfile says before its command line. */
struct surroundings {
	struct span user, directory; /* empty: not said */
};

struct command {
	struct words words;
	size_t options, options_end; /* of socat itself */
	struct address listener, target;
};

static bool is_socat(struct span word)
{
	static const char name[] = "socat";
	size_t length = strlen(name);

	if (span_length(word) < length || memcmp(word.end - length, name, length) != 0)
		return false;
	return span_length(word) == length || strchr("/=-@", word.end[-(ptrdiff_t)length - 1]);
}

static bool takes_value(struct span option)
{
	return span_length(option) == 2 && strchr("tTbLW", option.start[1]);
}

/* Finds socat and its two addresses among the words; false when it is not used. */
static bool command_find(struct command *command)
{
	struct words *words = &command->words;
	size_t i = 0;

	while (i < words->count && !is_socat(words_get(words, i)))
		i++;
	command->options = ++i;
	for (; i < words->count; i++) {
		struct span word = words_get(words, i);

		if (span_length(word) < 2 || *word.start != '-')
			break;
		i += takes_value(word);
	}
	if (i + 1 >= words->count)
		return false;
	command->options_end = i;
	command->listener = address_of(words_get(words, i));
	command->target = address_of(words_get(words, i + 1));
	return memchr(command->listener.type.start, '-', span_length(command->listener.type)) &&
	       !span_is_empty(command->listener.parameters);
}

static bool command_read(struct command *command, struct span line)
{
	const char *bracket;

	command->words = (struct words){ .count = 0 };
	if (span_is_idle(line) || !memmem(line.start, span_length(line), "socat", 5))
		return false;
	bracket = memchr(line.start, '[', span_length(line));
	if (!words_split(&command->words, line,
			 bracket && memchr(bracket, '"', (size_t)(line.end - bracket)) &&
					 memmem(line.start, span_length(line), "\"socat", 6)
				 ? WORDS_JSON
				 : WORDS_SHELL))
		return false;
	return command_find(command);
}

static void apply_own_options(struct draft *draft, const struct command *command)
{
	static const struct rule idle = { "-T", "idle_timeout", convert_time, NULL, NULL };

	for (size_t i = command->options; i < command->options_end; i++) {
		struct span word = words_get(&command->words, i),
			    value = { word.start + 2, word.end };

		if (takes_value(word))
			value = words_get(&command->words, ++i);
		if (word.start[1] == 'T' && convert_time(draft, &idle, value))
			continue;
		if (word.start[1] == 'd' || word.start[1] == 'l')
			import_note(draft->import, word, "log_on_success says what is logged");
		else
			import_note(draft->import, word, "there is no counterpart");
	}
}

static void set_listener(struct draft *draft, const struct command *command,
			 const struct listening *listening)
{
	draft_set_stream(draft);
	if (memchr(command->listener.parameters.start, '$',
		   span_length(command->listener.parameters)))
		import_note(draft->import, command->listener.parameters,
			    "variables of a shell have no value here; write the port");
	draft_add(draft, "port", command->listener.parameters);
	if (listening->flag)
		draft_add_flag(draft, listening->flag);
	if (!listening->is_datagram)
		return;
	draft_set(draft, "socket_type", "dgram");
	draft_set(draft, "protocol", "udp");
	draft_set(draft, "wait", "yes");
	import_note(draft->import, command->listener.type,
		    "the program gets the socket itself, with all clients' datagrams");
}

/* The entry's name: that of the program. */
static struct span name_of(const struct command *command)
{
	static const char socat[] = "socat";
	struct span command_line = command->target.parameters, name = span_take_word(&command_line);
	const char *slash;

	if (!span_is(command->target.type, "EXEC") || span_is_empty(name))
		return (struct span){ socat, socat + strlen(socat) };
	while (!span_is_empty(name) && strchr("'\"", name.end[-1]))
		name.end--;
	slash = memrchr(name.start, '/', span_length(name));
	name.start = slash ? slash + 1 : name.start;
	while (!span_is_empty(name) && strchr("'\"", *name.start))
		name.start++;
	return name;
}

/* What stands on the line after the addresses, except for the end of a command. */
static void note_rest(struct import *import, const struct command *command)
{
	size_t next = command->options_end + 2;

	if (next < command->words.count && !span_is(words_get(&command->words, next), "&") &&
	    !span_is(words_get(&command->words, next), ";"))
		import_note(import, words_get(&command->words, next),
			    "only the two addresses of socat are looked at");
}

static void apply_surroundings(struct draft *draft, const struct surroundings *surroundings)
{
	if (!draft_has(draft, "server"))
		return;
	if (!draft_has(draft, "directory") && !span_is_empty(surroundings->directory))
		draft_add(draft, "directory", surroundings->directory);
	if (!draft_has(draft, "user") && !span_is_empty(surroundings->user))
		draft_add(draft, "user", surroundings->user);
	draft_choose_user(draft, "socat runs it as whoever has started socat");
}

static void convert_command(struct import *import, const struct command *command,
			    const struct surroundings *surroundings)
{
	const struct listening *listening = listening_of(command->listener.type);
	struct draft draft;

	if (!listening) {
		import_note(import, command->listener.type, "only TCP and UDP ports are served");
		return;
	}
	draft_begin(&draft, import, name_of(command));
	set_listener(&draft, command, listening);
	if (serve(&draft, &command->target) &&
	    !(listening->is_datagram && draft_has(&draft, "redirect"))) {
		apply_own_options(&draft, command);
		if (!apply_options(&draft, command->listener.options))
			import_note(
				import, command->listener.type,
				"without fork socat serves one client and ends; the entry serves all");
		apply_options(&draft, command->target.options);
		apply_surroundings(&draft, surroundings);
		note_rest(import, command);
		draft_write(&draft);
	} else {
		import_note(import, command->target.type,
			    "nothing here does what this address does");
	}
	draft_clear(&draft);
}

bool socat_is_used(const struct import_file *file)
{
	struct long_lines lines;
	struct command command;
	struct span line;
	bool is_used = false;

	if (long_lines_begin(&lines, file->text, file->length) < 0)
		return false;
	while (!is_used && long_lines_next(&lines, &line)) {
		is_used = command_read(&command, line);
		words_free(&command.words);
	}
	long_lines_end(&lines);
	return is_used;
}

/* USER and WORKDIR of a Dockerfile; a new stage begins with neither. */
static void take_surroundings(struct surroundings *surroundings, struct span line)
{
	struct span word = span_take_word(&line), value = span_trim(line);
	struct span group = value, user = span_take_until(&group, ":");

	if (span_is(word, "FROM"))
		*surroundings = (struct surroundings){ { NULL, NULL }, { NULL, NULL } };
	else if (span_is(word, "USER"))
		surroundings->user = user;
	else if (span_is(word, "WORKDIR") && !span_is_empty(value) && *value.start == '/')
		surroundings->directory = value;
}

/* Relative programs are in the directory that a Dockerfile names. */
static void enter(struct import *import, const struct surroundings *surroundings,
		  char directory[PATH_MAX])
{
	size_t length = span_length(surroundings->directory);

	if (length == 0 || length >= PATH_MAX ||
	    memchr(surroundings->directory.start, '\0', length))
		return;
	memcpy(directory, surroundings->directory.start, length);
	directory[length] = '\0';
	import->directory = directory;
}

void socat_read(struct import *import, const struct import_file *file)
{
	struct surroundings surroundings = { { NULL, NULL }, { NULL, NULL } };
	const char *outside = import->directory;
	char directory[PATH_MAX];
	size_t before = import->count;
	struct long_lines lines;
	struct command command;
	struct span line;

	if (long_lines_begin(&lines, file->text, file->length) < 0) {
		import_complain(import, "out of memory");
		return;
	}
	while (long_lines_next(&lines, &line)) {
		import->line = lines.number;
		take_surroundings(&surroundings, line);
		enter(import, &surroundings, directory);
		if (command_read(&command, line))
			convert_command(import, &command, &surroundings);
		words_free(&command.words);
	}
	import->directory = outside;
	long_lines_end(&lines);
	import->line = 0;
	if (import->count == before)
		import_complain(import, "no command line of socat in it can become an entry");
}
