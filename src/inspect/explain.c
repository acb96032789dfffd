/* The steps are those of frontend/reception, in the same order. */
#include "inspect/inspect.h"

#include "admission/host_names.h"
#include "admission/libwrap.h"
#include "admission/load.h"
#include "admission/verdict.h"
#include "base/loop.h"
#include "base/name_servers.h"
#include "config/attributes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* What is asked. */
struct inquiry {
	struct address peer;
	char peer_text[ADDRESS_TEXT_SIZE];
	int minute; /* of the day */
	bool is_now;
};

/* How one service answers. */
struct answer {
	const struct inquiry *inquiry;
	const struct service_settings *service;
	FILE *reasons;
	const char *refusal; /* as FAIL lines have it; NULL: it admits */
	bool is_known;       /* by whoever has been asked */
};

/* For whom names are looked up and libwrap is asked: nobody else wants a turn. */
static const struct turn_owner alone = { .lengths = { 32, 64 } };

/* One step of admission. It writes its reason, and sets the refusal. */
typedef void step(struct answer *answer);

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

static unsigned families_of_address(const struct service_settings *service, const char *text)
{
	unsigned flags = service->flags & (FLAG_IPV4 | FLAG_IPV6);
	struct address address;

	if (address_parse(&address, text, 0) < 0)
		return flags ? flags : FLAG_IPV4 | FLAG_IPV6;
	if (address.any.sa_family == AF_INET)
		return FLAG_IPV4;
	if (IN6_IS_ADDR_UNSPECIFIED(&address.in6.sin6_addr) && !service->v6only)
		return FLAG_IPV4 | FLAG_IPV6;
	return FLAG_IPV6;
}

static unsigned families_of(const struct service_settings *service)
{
	unsigned families = 0;

	for (size_t i = 0; i < service->bind.count; i++)
		families |= families_of_address(service, service->bind.list[i]);
	if (service->bind.count > 0)
		return families;
	if ((service->flags & (FLAG_IPV4 | FLAG_IPV6)) == FLAG_IPV4)
		return FLAG_IPV4;
	return service->v6only ? FLAG_IPV6 : FLAG_IPV4 | FLAG_IPV6;
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
	}
}

/* --- only_from and no_access ------------------------------------------------------------ */

static void write_names(struct answer *answer, const char *const *names)
{
	fputs("the address has ", answer->reasons);
	if (!*names)
		fputs("no name that leads back to it", answer->reasons);
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

/* One of them, or none, has. */
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
	} else if (service->only_from.is_set) {
		write_attribute(answer, "only_from");
		fputs(service->only_from.count > 0 ? " does not cover it\n" : " is empty\n",
		      answer->reasons);
	} else if (service->no_access.is_set) {
		write_attribute(answer, "no_access");
		fputs(" does not cover it\n", answer->reasons);
	} else {
		fputs("neither only_from nor no_access is set\n", answer->reasons);
	}
}

/* False when it takes the peer's names. */
static bool judge_address(struct answer *answer, const char *const *names)
{
	const struct service_settings *service = answer->service;
	const struct address *peer = &answer->inquiry->peer;
	const struct access_rule *allowing = access_list_match(&service->only_from, peer, names);
	const struct access_rule *denying = access_list_match(&service->no_access, peer, names);
	struct access_result result =
		access_decide(&service->only_from, &service->no_access, peer, names);

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
		fprintf(answer->reasons, "name server %s does not answer\n", silent);
	write_names(answer, names);
	judge_address(answer, names);
	answer->is_known = true;
}

/* Runs the loop until whoever was asked has answered; each of them has a deadline. */
static void wait_for_answer(const struct answer *answer)
{
	while (!answer->is_known)
		loop_turn(-1);
}

/* True for a stream's server that accepts its clients itself. */
static bool accepts_itself(const struct service_settings *service)
{
	return service_is_stream(service) && service_waits(service) &&
	       !(service->flags & FLAG_INTERCEPT);
}

static bool checks_first_sender_alone(const struct service_settings *service)
{
	return !service_is_stream(service) && service_waits(service) &&
	       !(service->flags & FLAG_INTERCEPT);
}

static void check_address(struct answer *answer)
{
	if (accepts_itself(answer->service)) {
		fputs("the server accepts its clients itself (wait = yes): their addresses are not "
		      "checked\n", answer->reasons);
		return;
	}
	if (checks_first_sender_alone(answer->service))
		fputs("checked is the sender of the datagram that starts the server (wait = yes)\n",
		      answer->reasons);
	if (judge_address(answer, NULL))
		return;
	answer->is_known = false;
	name_servers_log_nothing();
	host_names_find(&alone, &answer->inquiry->peer, on_names, answer);
	wait_for_answer(answer);
}

/* --- load, time, limits ----------------------------------------------------------------------- */

static void check_load(struct answer *answer)
{
	double most = answer->service->max_load, load;

	if (most <= 0)
		return;
	if (load_is_excessive(most))
		answer->refusal = verdict_text(REFUSED_LOAD);
	write_attribute(answer, "max_load");
	if (getloadavg(&load, 1) != 1)
		load = 0;
	fprintf(answer->reasons, " is %g, and the load is %.2f now\n", most, load);
}

static void write_interval(struct answer *answer, struct access_interval interval)
{
	fprintf(answer->reasons, " %d:%02d-%d:%02d", interval.first / 60, interval.first % 60,
		interval.last / 60, interval.last % 60);
}

/* The interval in which it is the minute, or NULL. */
static const struct access_interval *find_interval(const struct service_settings *service,
						   int minute)
{
	for (size_t i = 0; i < service->access_times_count; i++)
		if (access_times_allow(&service->access_times[i], 1, minute))
			return &service->access_times[i];
	return NULL;
}

static void check_time(struct answer *answer)
{
	const struct service_settings *service = answer->service;
	int minute = answer->inquiry->minute;
	const struct access_interval *interval = find_interval(service, minute);

	if (service->access_times_count == 0)
		return;
	write_attribute(answer, "access_times");
	if (interval)
		write_interval(answer, *interval);
	for (size_t i = 0; !interval && i < service->access_times_count; i++)
		write_interval(answer, service->access_times[i]);
	fprintf(answer->reasons, " %s %d:%02d%s\n", interval ? "includes" : "does not include",
		minute / 60, minute % 60, answer->inquiry->is_now ? ", which it is now" : "");
	if (!interval)
		answer->refusal = verdict_text(REFUSED_TIME);
}

static void check_never(struct answer *answer, const char *attribute, unsigned limit,
			enum verdict verdict)
{
	if (limit > 0)
		return;
	write_attribute(answer, attribute);
	fputs(" is 0, so nobody is ever served\n", answer->reasons);
	answer->refusal = verdict_text(verdict);
}

static void check_instances(struct answer *answer)
{
	check_never(answer, "instances", answer->service->instances, REFUSED_SERVICE_LIMIT);
}

static void check_per_source(struct answer *answer)
{
	check_never(answer, "per_source", answer->service->per_source, REFUSED_SOURCE_LIMIT);
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

/* As for sessions: never for what the loop answers datagrams with, for RPC over
 * TCP, or where nobody knows the peer. */
static bool asks_libwrap(const struct service_settings *service)
{
	bool is_stream = service_is_stream(service);

	if ((service->flags & FLAG_NOLIBWRAP) || ((service->types & TYPE_RPC) && is_stream) ||
	    (service_is_internal(service) && !is_stream) || accepts_itself(service))
		return false;
	return libwrap_has_rules();
}

static void check_libwrap(struct answer *answer)
{
	const struct service_settings *service = answer->service;
	struct address local = { .length = 0 };

	if (!asks_libwrap(service))
		return;
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

/* --- what comes after ------------------------------------------------------------- */

static void mention_identity(struct answer *answer)
{
	const struct service_settings *service = answer->service;

	if ((service->flags & FLAG_IDONLY) && (service->log_on_success & LOG_FLAG_USERID))
		fputs("its host must tell the user's name (IDONLY), or it is refused then\n",
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
		fputs(": whoever comes is refused by all services for ever", answer->reasons);
	else
		fprintf(answer->reasons,
			": whoever comes is refused by all services for %d minutes",
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

/* Whether they are reached depends on who else comes. */
static void mention_limits(struct answer *answer)
{
	const struct service_settings *service = answer->service;
	const char *separator = "limits that apply: ", *first = separator;

	write_rate(answer, &separator, "source_cps", service->source_cps);
	write_rate(answer, &separator, "cps", service->cps);
	write_limit(answer, &separator, "instances", service->instances);
	write_limit(answer, &separator, "per_source", service->per_source);
	if (separator != first)
		putc('\n', answer->reasons);
}

static step *const steps[] = {
	reach,         check_address, check_load,       check_time,     check_instances,
	check_per_source, check_libwrap, mention_identity, mention_sensor, mention_limits,
};

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
	struct answer answer = { .inquiry = inquiry, .service = service };
	char *reasons;
	size_t size;

	answer.reasons = open_memstream(&reasons, &size);
	if (!answer.reasons) {
		perror("usherd");
		return false;
	}
	for (size_t i = 0; !answer.refusal && i < sizeof steps / sizeof steps[0]; i++)
		steps[i](&answer);
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

/* --- what is asked ---------------------------------------------------------------- */

/* The minute of the day that H:MM is, or -1. */
static int parse_minute(const char *text)
{
	int hour, minute, end = 0;

	if (text[strspn(text, "0123456789:")] ||
	    sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2 || text[end] || hour > 23 ||
	    minute > 59)
		return -1;
	return 60 * hour + minute;
}

static int minute_now(void)
{
	time_t now = time(NULL);
	struct tm local;

	localtime_r(&now, &local);
	return 60 * local.tm_hour + local.tm_min;
}

/* False, reported, when it makes no sense. */
static bool inquiry_begin(struct inquiry *inquiry, const char *address, const char *when)
{
	inquiry->is_now = !when;
	inquiry->minute = when ? parse_minute(when) : minute_now();
	if (inquiry->minute < 0) {
		fprintf(stderr, "usherd: \"%s\" is not a time of the day such as 8:30\n", when);
		return false;
	}
	if (address_parse(&inquiry->peer, address, 0) < 0) {
		fprintf(stderr, "usherd: \"%s\" is not an address; of a host give the address, "
			"which \"getent hosts NAME\" tells\n", address);
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
