/* -explain walks the table of admission/steps, as connections do. */
#include "inspect/inspect.h"

#include "admission/host_names.h"
#include "admission/intercept.h"
#include "admission/libwrap.h"
#include "admission/proxy_header.h"
#include "admission/steps.h"
#include "base/clock.h"
#include "base/loop.h"
#include "base/name_servers.h"
#include "config/attributes.h"
#include "config/word.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* The question of -explain. */
struct inquiry {
	struct address peer;
	char peer_text[ADDRESS_TEXT_SIZE];
	int minute; /* of the day */
	bool is_now;
};

/* The answer for one service. */
struct answer {
	const struct inquiry *inquiry;
	const struct service_settings *service;
	struct candidate candidate;
	FILE *reasons;
	const char *refusal; /* the reason in FAIL lines; NULL: admitted */
	bool is_known;       /* names or libwrap have answered */
};

/* The only owner of name lookups and libwrap requests here. */
static const struct turn_owner alone = { .lengths = { 32, 64 } };

/* --- where things are set ------------------------------------------------------------- */

static const struct place *place_of(const struct service_settings *service, const char *attribute)
{
	return &service->places[ATTRIBUTE(attribute)];
}

static void write_place(struct answer *answer, const char *file, int line)
{
	if (file)
		fprintf(answer->reasons, " (%s:%d)", file, line);
}

static void write_attribute(struct answer *answer, const char *attribute)
{
	const struct place *place = place_of(answer->service, attribute);

	fputs(attribute, answer->reasons);
	write_place(answer, place->file, place->line);
}

static void write_rule(struct answer *answer, const char *list, const struct access_rule *rule)
{
	fprintf(answer->reasons, "%s %s", list, rule->text);
	write_place(answer, rule->file, rule->line);
}

/* --- the way to the service --------------------------------------------------------------- */

static unsigned families_of(const struct service_settings *service)
{
	unsigned families = service_families(service, 0);

	for (size_t i = 1; i < service->bind.count; i++)
		families |= service_families(service, i);
	return families;
}

/* True for a stream's server that accepts its clients itself. */
static bool accepts_itself(const struct service_settings *service)
{
	return service_is_stream(service) && service_waits(service) &&
	       !(service->flags & FLAG_INTERCEPT);
}

static void reach(struct answer *answer)
{
	const struct service_settings *service = answer->service;
	bool is_in4 = answer->inquiry->peer.any.sa_family == AF_INET;

	if (service_is_multiplexed(service)) {
		fputs("reached through tcpmux, which has rules of its own\n", answer->reasons);
	} else if (!(families_of(service) & (unsigned)(is_in4 ? FLAG_IPV4 : FLAG_IPV6))) {
		fprintf(answer->reasons,
			"the service has no %s socket, by its flags, bind or v6only\n",
			is_in4 ? "IPv4" : "IPv6");
		answer->refusal = "out of reach";
	} else if (accepts_itself(service)) {
		fputs("the server accepts its clients itself (wait = yes): their addresses are not "
		      "checked\n",
		      answer->reasons);
	}
}

/* --- balancers ----------------------------------------------------------------------------- */

static const char *header_text(const struct service_settings *service)
{
	unsigned versions = service->admission->proxy_protocol;

	return versions == (PROXY_V1 | PROXY_V2) ? "any version"
	       : versions == PROXY_V1            ? "version 1"
						 : "version 2";
}

/* What follows is about the client that a header names. */
static void tell_proxied(struct answer *answer)
{
	const struct service_settings *service = answer->service;
	const struct access_rule *rule =
		access_list_match(&service->admission->proxy_from, &answer->inquiry->peer, NULL);

	if (rule) {
		write_rule(answer, "proxy_from", rule);
		fprintf(answer->reasons,
			" has it for a balancer: its connections must begin with a PROXY header of "
			"%s, and the client in it is judged; a health check is judged like this\n",
			header_text(service));
		return;
	}
	fputs("as a client of a balancer of ", answer->reasons);
	write_attribute(answer, "proxy_from");
	if (service->admission->proxy_others == PROXY_OTHERS_DIRECT)
		fputs(", or by a connection of its own:\n", answer->reasons);
	else
		fputs("; a connection of its own would be refused (proxy_others = refuse):\n",
		      answer->reasons);
}

/* --- only_from and no_access ------------------------------------------------------------ */

static void write_names(struct answer *answer, const char *const *names)
{
	fputs("the address has ", answer->reasons);
	if (!*names)
		fputs("no name that resolves back to it", answer->reasons);
	for (const char *const *name = names; *name; name++)
		fprintf(answer->reasons, "%s%s", name == names ? "the name " : " and ", *name);
	putc('\n', answer->reasons);
}

/* Both lists have a rule for the peer. */
static void write_both(struct answer *answer, const struct access_rule *allowing,
		       const struct access_rule *denying, struct access_result result)
{
	bool allowed = result.decision == ACCESS_ALLOWED;

	write_rule(answer, allowed ? "only_from" : "no_access", allowed ? allowing : denying);
	fputs(result.tie ? " is as specific as " : " is more specific than ", answer->reasons);
	write_rule(answer, allowed ? "no_access" : "only_from", allowed ? denying : allowing);
	fputs(result.tie ? ", and a tie denies\n" : "\n", answer->reasons);
}

/* At most one of them has. */
static void write_one(struct answer *answer, const struct access_rule *allowing,
		      const struct access_rule *denying)
{
	const struct service_settings *service = answer->service;

	if (denying) {
		write_rule(answer, "no_access", denying);
		fputs(" covers it\n", answer->reasons);
	} else if (allowing) {
		write_rule(answer, "only_from", allowing);
		fputs(" covers it\n", answer->reasons);
	} else if (service->admission->only_from.is_set) {
		write_attribute(answer, "only_from");
		fputs(access_list_size(&service->admission->only_from) > 0 ? " does not cover it\n"
									   : " is empty\n",
		      answer->reasons);
	} else if (service->admission->no_access.is_set) {
		write_attribute(answer, "no_access");
		fputs(" does not cover it\n", answer->reasons);
	} else {
		fputs("neither only_from nor no_access is set\n", answer->reasons);
	}
}

/* False when the peer's names are needed. */
static bool judge_address(struct answer *answer, const char *const *names)
{
	const struct admission_settings *admission = answer->service->admission;
	const struct address *peer = &answer->inquiry->peer;
	const struct access_rule *allowing = access_list_match(&admission->only_from, peer, names);
	const struct access_rule *denying = access_list_match(&admission->no_access, peer, names);
	struct access_result result =
		access_decide(&admission->only_from, &admission->no_access, peer, names);

	if (result.decision == ACCESS_NEEDS_NAMES)
		return false;
	if (allowing && denying)
		write_both(answer, allowing, denying, result);
	else
		write_one(answer, allowing, denying);
	if (result.decision == ACCESS_DENIED)
		answer->refusal = verdict_text(REFUSED_ADDRESS);
	return true;
}

static void on_names(void *context, const char *const *names)
{
	struct answer *answer = context;
	const char *silent = name_servers_silent();

	if (silent)
		fprintf(answer->reasons,
			name_servers_all_silent()
				? "host name rules can't be checked: no answer from %s\n"
				: "name server %s does not answer\n",
			silent);
	write_names(answer, names);
	judge_address(answer, names);
	answer->is_known = true;
}

/* Runs the loop until the answer is there; each request has a deadline. */
static void wait_for_answer(const struct answer *answer)
{
	while (!answer->is_known)
		loop_turn(-1);
}

static bool checks_first_sender_alone(const struct service_settings *service)
{
	return !service_is_stream(service) && service_waits(service) &&
	       !(service->flags & FLAG_INTERCEPT);
}

static void check_address(struct answer *answer)
{
	if (checks_first_sender_alone(answer->service))
		fputs("only the sender of the datagram that starts the server is checked "
		      "(wait = yes)\n",
		      answer->reasons);
	if (judge_address(answer, NULL))
		return;
	answer->is_known = false;
	name_servers_log_nothing();
	host_names_find(&alone, &answer->inquiry->peer, on_names, answer);
	wait_for_answer(answer);
}

/* --- load, time, limits ----------------------------------------------------------------------- */

static void tell_load(struct answer *answer)
{
	double load;

	write_attribute(answer, "max_load");
	if (getloadavg(&load, 1) != 1)
		load = 0;
	fprintf(answer->reasons, " is %g, and the load is %.2f now\n",
		answer->service->admission->max_load, load);
}

static void write_interval(struct answer *answer, struct access_interval interval)
{
	fprintf(answer->reasons, " %d:%02d-%d:%02d", interval.first / 60, interval.first % 60,
		interval.last / 60, interval.last % 60);
}

/* The interval that includes the minute, or NULL. */
static const struct access_interval *find_interval(const struct service_settings *service,
						   int minute)
{
	const struct admission_settings *admission = service->admission;

	for (size_t i = 0; i < admission->access_times_count; i++)
		if (access_times_allow(&admission->access_times[i], 1, minute))
			return &admission->access_times[i];
	return NULL;
}

static void tell_time(struct answer *answer)
{
	const struct service_settings *service = answer->service;
	int minute = answer->inquiry->minute;
	const struct access_interval *interval = find_interval(service, minute);

	write_attribute(answer, "access_times");
	if (interval)
		write_interval(answer, *interval);
	for (size_t i = 0; !interval && i < service->admission->access_times_count; i++)
		write_interval(answer, service->admission->access_times[i]);
	fprintf(answer->reasons, " %s %d:%02d%s\n", interval ? "includes" : "does not include",
		minute / 60, minute % 60, answer->inquiry->is_now ? ", which it is now" : "");
}

/* Whether the client solves it is its own affair. */
static void tell_proof(struct answer *answer)
{
	write_attribute(answer, "proof_of_work");
	fprintf(answer->reasons, " is %u: it must solve a puzzle first",
		answer->service->admission->proof_of_work);
	if (answer->service->admission->proof_of_work_time > 0)
		fprintf(answer->reasons, ", once in %d seconds",
			answer->service->admission->proof_of_work_time);
	putc('\n', answer->reasons);
}

/* -explain counts no other sessions: it reaches a limit only if that is 0. */
static void tell_limit(struct answer *answer, const char *attribute)
{
	if (!answer->refusal)
		return;
	write_attribute(answer, attribute);
	fputs(" is 0, so nobody is ever served\n", answer->reasons);
}

static void tell_instances(struct answer *answer)
{
	tell_limit(answer, "instances");
}

static void tell_per_source(struct answer *answer)
{
	tell_limit(answer, "per_source");
}

/* --- hosts.allow and hosts.deny -------------------------------------------------- */

static void on_libwrap(void *context, bool allowed)
{
	struct answer *answer = context;

	fprintf(answer->reasons, "hosts.allow and hosts.deny %s it, asked for %s\n",
		allowed ? "admit" : "refuse", service_libwrap_name(answer->service));
	if (!allowed)
		answer->refusal = verdict_text(REFUSED_LIBWRAP);
	answer->is_known = true;
}

static void check_libwrap(struct answer *answer)
{
	const struct service_settings *service = answer->service;
	struct address local = { .length = 0 };

	if (service->bind.count > 0 && address_parse(&local, service->bind.list[0], 0) < 0)
		local.length = 0;
	answer->is_known = false;
	libwrap_run_no_commands();
	if (libwrap_ask(&alone, service_libwrap_name(service), &answer->inquiry->peer, &local,
			on_libwrap, answer))
		wait_for_answer(answer);
	else
		on_libwrap(answer, false);
}

/* --- after admission -------------------------------------------------------------- */

static void tell_identity(struct answer *answer)
{
	const struct service_settings *service = answer->service;

	if (service->flags & FLAG_IDONLY)
		fputs("refused later if its ident server does not name the user (IDONLY)\n",
		      answer->reasons);
}

static void mention_sensor(struct answer *answer)
{
	const struct service_settings *service = answer->service;

	if (!(service->flags & FLAG_SENSOR))
		return;
	fputs("the service is a SENSOR, which serves nobody", answer->reasons);
	if (!service_bans(service))
		fputs(" and bans nobody", answer->reasons);
	else if (service->deny_time < 0)
		fputs(": all services refuse its peers for ever", answer->reasons);
	else
		fprintf(answer->reasons, ": all services refuse its peers for %d minutes",
			service->deny_time);
	putc('\n', answer->reasons);
}

static void write_limit(struct answer *answer, const char **separator, const char *name,
			unsigned value)
{
	const struct place *place = place_of(answer->service, name);

	if (value == UNLIMITED)
		return;
	fprintf(answer->reasons, "%s%s %u", *separator, name, value);
	write_place(answer, place->file, place->line);
	*separator = ", ";
}

static void write_rate(struct answer *answer, const char **separator, const char *name,
		       struct rate rate)
{
	const struct place *place = place_of(answer->service, name);

	if (rate.rate == 0)
		return;
	fprintf(answer->reasons, "%s%s %u", *separator, name, rate.rate);
	if (rate.seconds > 1)
		fprintf(answer->reasons, "/%u", rate.seconds);
	fprintf(answer->reasons, " %u", rate.other);
	write_place(answer, place->file, place->line);
	*separator = ", ";
}

/* Whether a limit is reached depends on other connections. */
static void mention_limits(struct answer *answer)
{
	const struct admission_settings *admission = answer->service->admission;
	const char *separator = "limits that apply: ", *first = separator;

	write_rate(answer, &separator, "source_cps", admission->source_cps);
	write_rate(answer, &separator, "cps", admission->cps);
	write_limit(answer, &separator, "instances", admission->instances);
	write_limit(answer, &separator, "per_source", admission->per_source);
	if (separator != first)
		putc('\n', answer->reasons);
}

/* --- the walk --------------------------------------------------------------------- */

/* What -explain prints for each step of admission; NULL: nothing. */
#define TELLS(ROW) \
	ROW(STEP_PROXIED, tell_proxied) \
	ROW(STEP_BANNER, NULL) \
	ROW(STEP_ADDRESS, check_address) \
	ROW(STEP_SOURCE_RATE, NULL) \
	ROW(STEP_RATE, NULL) \
	ROW(STEP_LOAD, tell_load) \
	ROW(STEP_TIME, tell_time) \
	ROW(STEP_PROOF, tell_proof) \
	ROW(STEP_INSTANCES, tell_instances) \
	ROW(STEP_PER_SOURCE, tell_per_source) \
	ROW(STEP_PROCESSES, NULL) \
	ROW(STEP_COUNTED, NULL) \
	ROW(STEP_LIBWRAP, check_libwrap) \
	ROW(STEP_IDENTITY, tell_identity) \
	ROW(STEP_WELCOME, NULL)

STEPS_CHECK(TELLS);

static void (*const tells[])(struct answer *answer) = {
#define TELL_ROW(step, tell) [step] = (tell),
	TELLS(TELL_ROW)
};

static void take(struct answer *answer, enum admission_step step)
{
	enum verdict verdict = ADMITTED;

	if (admission_judges(step) && step != STEP_ADDRESS) /* check_address judges that one */
		verdict = admission_judge(step, &answer->candidate).verdict;
	if (verdict != ADMITTED)
		answer->refusal = verdict_text(verdict);
	if (tells[step])
		tells[step](answer);
}

static void walk(struct answer *answer)
{
	reach(answer);
	for (enum admission_step step = 0; step < ADMISSION_STEPS && !answer->refusal; step++)
		if (admission_applies(step, &answer->candidate))
			take(answer, step);
	if (answer->refusal)
		return;
	mention_sensor(answer);
	mention_limits(answer);
}

static enum way way_to(const struct service_settings *service)
{
	if (service_is_multiplexed(service))
		return WAY_MULTIPLEXED;
	if (service_is_internal(service) && !service_is_stream(service))
		return WAY_DATAGRAM;
	return service_waits(service) && !intercepts_streams(service) ? WAY_SERVER : WAY_CONNECTION;
}

/* A first connection: no limit is used up yet. */
static struct candidate candidate_for(const struct inquiry *inquiry,
				      const struct service_settings *service, struct quota *quota)
{
	static const struct address unknown;

	return (struct candidate){
		.settings = service,
		.quota = quota,
		.peer = accepts_itself(service) ? &unknown : &inquiry->peer,
		.way = way_to(service),
		.now = clock_now(),
		.minute = inquiry->minute,
	};
}

/* --- one service, and all of that name -------------------------------------------- */

static void print_head(const struct answer *answer)
{
	const struct service_settings *service = answer->service;

	printf("%s (%s:%d)", service->id, service->file, service->line);
	if (service->port > 0)
		printf(", %s port %d", service->protocol, service->port);
	printf(": %s would be %s", answer->inquiry->peer_text,
	       answer->refusal ? "refused" : "admitted");
	if (answer->refusal)
		printf(" (%s)", answer->refusal);
	putchar('\n');
}

static void print_reasons(const char *reasons)
{
	while (*reasons) {
		int length = (int)(strcspn(reasons, "\n") + 1);

		printf("    %.*s", length, reasons);
		reasons += length;
	}
}

/* True when it admits the peer. */
static bool explain_service(const struct inquiry *inquiry, const struct service_settings *service)
{
	struct quota quota = { 0 };
	struct answer answer = { .inquiry = inquiry,
				 .service = service,
				 .candidate = candidate_for(inquiry, service, &quota) };
	char *reasons;
	size_t size;

	answer.reasons = open_memstream(&reasons, &size);
	if (!answer.reasons) {
		perror("usherd");
		return false;
	}
	walk(&answer);
	quota_clear(&quota);
	if (fclose(answer.reasons) == 0) {
		print_head(&answer);
		print_reasons(reasons);
	}
	free(reasons);
	return !answer.refusal;
}

static bool is_called(const char *id, const char *name, const char *wanted)
{
	return strcasecmp(id, wanted) == 0 || strcasecmp(name, wanted) == 0;
}

static void report_unknown(const struct settings *settings, const char *wanted)
{
	const char **names = calloc(2 * settings->count + 1, sizeof *names);
	const char *nearest = NULL;

	for (size_t i = 0; names && i < settings->count; i++) {
		names[2 * i] = settings->services[i]->id;
		names[2 * i + 1] = settings->services[i]->name;
	}
	if (names)
		nearest = nearest_word(wanted, names);
	free(names);
	fprintf(stderr, "usherd: there is no service %s", wanted);
	if (nearest)
		fprintf(stderr, "; did you mean %s?", nearest);
	putc('\n', stderr);
}

static int explain_all(const struct inquiry *inquiry, const struct settings *settings,
		       const char *wanted)
{
	const struct left_out *entry;
	unsigned found = 0, admitting = 0;

	for (size_t i = 0; i < settings->count; i++)
		if (is_called(settings->services[i]->id, settings->services[i]->name, wanted)) {
			found++;
			admitting += explain_service(inquiry, settings->services[i]);
		}
	STAILQ_FOREACH(entry, &settings->left_out, link)
		if (is_called(entry->id, entry->name, wanted)) {
			found++;
			printf("%s (%s:%d): is not started: %s\n", entry->id, entry->file,
			       entry->line, entry->why);
		}
	if (found == 0)
		report_unknown(settings, wanted);
	return found > 0 && admitting == found ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- the question ----------------------------------------------------------------- */

/* The minute of the day for H:MM, or -1. */
static int parse_minute(const char *text)
{
	int hour, minute, end = 0;

	if (text[strspn(text, "0123456789:")] ||
	    sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2 || text[end] || hour > 23 ||
	    minute > 59)
		return -1;
	return 60 * hour + minute;
}

/* False when an argument is wrong, which is reported. */
static bool inquiry_begin(struct inquiry *inquiry, const char *address, const char *when)
{
	inquiry->is_now = !when;
	inquiry->minute = when ? parse_minute(when) : access_minute(time(NULL));
	if (inquiry->minute < 0) {
		fprintf(stderr, "usherd: \"%s\" is not a time of the day such as 8:30\n", when);
		return false;
	}
	if (address_parse(&inquiry->peer, address, 0) < 0) {
		fprintf(stderr,
			"usherd: \"%s\" is not an address; \"getent hosts NAME\" prints "
			"the address of a host\n",
			address);
		return false;
	}
	address_text(&inquiry->peer, inquiry->peer_text);
	return true;
}

int inspect_explain(const struct load_options *options, const char *service, const char *address,
		    const char *time)
{
	struct load_options with_places = *options;
	struct problems problems = { 0 };
	struct settings *settings;
	struct inquiry inquiry;
	int status = EXIT_FAILURE;

	if (!inquiry_begin(&inquiry, address, time))
		return EXIT_FAILURE;
	with_places.advise = true;
	settings = settings_load(&with_places, &problems);
	if (!settings)
		inspect_report(&problems, ERROR, stderr);
	else if (loop_init() < 0)
		perror("usherd");
	else
		status = explain_all(&inquiry, settings, service);
	problems_clear(&problems);
	settings_free(settings);
	return status;
}
