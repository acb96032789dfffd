#include "soak/services.h"

#include "support/daemon.h"
#include "support/isolation.h"
#include "support/place.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SERVICES_MAX = 64, SOME_USER = 54321 };

static struct {
	const char *id;
	int port;
} known[SERVICES_MAX];
static unsigned known_count;

int service_port(const char *id)
{
	for (unsigned i = 0; i < known_count; i++)
		if (strcmp(known[i].id, id) == 0)
			return known[i].port;
	return -1;
}

void services_each(void (*see)(const char *id, void *context), void *context)
{
	for (unsigned i = 0; i < known_count; i++)
		see(known[i].id, context);
}

const char *program_user(void)
{
	return is_superuser() ? textf("%d", SOME_USER) : current_user();
}

static void know(const char *id, int port)
{
	ck_assert_uint_lt(known_count, SERVICES_MAX);
	known[known_count].id = id;
	known[known_count++].port = port;
}

static void add(const char *id, const char *name, const char *lines)
{
	know(id, add_service(name, "id = %s\nuser = %s\n%s", id, program_user(), lines));
}

/* Reached through tcpmux. */
static void add_multiplexed(const char *id, const char *type, const char *lines)
{
	configure("service %s\n{\ntype = %s UNLISTED\nsocket_type = stream\nprotocol = tcp\n"
		  "wait = no\nuser = %s\n%s}\n",
		  id, type, program_user(), lines);
	know(id, 0);
}

/* --- what the daemon serves itself ------------------------------------------------------------ */

#define INTERNAL "type = INTERNAL UNLISTED\n"
#define DATAGRAM INTERNAL "socket_type = dgram\n"

static void add_built_ins(void)
{
	static const struct {
		const char *id, *name, *lines;
	} services[] = {
		{ "echo", "echo", INTERNAL },
		{ "discard", "discard", INTERNAL },
		{ "daytime", "daytime", INTERNAL },
		{ "time", "time", INTERNAL },
		{ "chargen", "chargen", INTERNAL },
		{ "echo-resets", "echo", INTERNAL },
		{ "echo-paused", "echo", INTERNAL },
		{ "echo-held", "echo", INTERNAL },
		{ "echo-minute", "echo", INTERNAL "max_runtime = 1\n" },
		{ "echo-datagrams", "echo", DATAGRAM "only_from = 127.0.0.1\n" },
		{ "discard-datagrams", "discard", DATAGRAM },
		{ "daytime-datagrams", "daytime", DATAGRAM },
		{ "time-datagrams", "time", DATAGRAM },
		{ "chargen-datagrams", "chargen", DATAGRAM },
		{ "tcpmux", "tcpmux", INTERNAL },
	};

	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
		add(services[i].id, services[i].name, services[i].lines);
}

/* --- who is served ---------------------------------------------------------------------------- */

static void add_limited(void)
{
	place_write("blocked", "# nobody from here\n%s\n203.0.113.0/24\n", STRANGER);
	add("friends", "echo", INTERNAL "only_from = 127.0.0.1\n");
	add("open", "echo", textf(INTERNAL "no_access = @%s\n", place_path("blocked")));
	add("trap", "echo", INTERNAL "flags = SENSOR\ndeny_time = FOREVER\n");
	add("few", "echo", textf(INTERNAL "instances = %d\n", FEW_INSTANCES));
	add("queue", "echo", textf(INTERNAL "instances = %d\nat_limit = queue\n", QUEUE_INSTANCES));
	add("mine", "echo", textf(INTERNAL "per_source = %d\n", PER_SOURCE));
	add("rate", "echo", INTERNAL "cps = 20 10\n");
	add("slow", "echo", INTERNAL "cps = 100 10\ncps_action = queue\n");
	add("source-rate", "echo", INTERNAL "source_cps = 10 10\n");
	add("balanced", "balanced",
	    textf("server = %s\nserver_args = who\nproxy_protocol = any\nproxy_from = %s\n"
		  "no_access = 203.0.113.0/24\n",
		  place_path("talker"), BALANCER));
}

/* --- programs --------------------------------------------------------------------------------- */

static const char *talker(const char *word)
{
	return textf("server = %s\nserver_args = %s\n", place_path("talker"), word);
}

/* It exists and may be executed, but can't be. */
static const char *broken_program(void)
{
	place_write("broken", "no program\n");
	ck_assert_int_eq(chmod(place_path("broken"), 0755), 0);
	return textf("server = %s\n", place_path("broken"));
}

static void add_programs(void)
{
	place_program("talker");
	add("hello", "hello", talker("hello"));
	add("count", "count", textf("%slog_on_success += TRAFFIC\n", talker("count")));
	add("resets", "resets", talker("hello"));
	add("broken", "broken", broken_program());
	add("minute", "minute", textf("%smax_runtime = 1\n", talker("hold")));
	add("gone", "gone", textf("%skill_on_disconnect = reset\n", talker("hold")));
	add("linger", "linger", textf("%slingering_close = yes\n", talker("answer")));
	add("idle", "idle", CAT "idle_timeout = 1\n");
	add("complains", "complains", textf("%sstderr = log\n", talker("complain")));
	add("ended", "ended",
	    textf("%send_command = %s hello\n", talker("hello"), place_path("talker")));
	place_write("banner", "one\n");
	place_write("banner_success", "two\n");
	add("banners", "banners",
	    textf("%sbanner = %s\nbanner_success = %s\n", talker("hello"), place_path("banner"),
		  place_path("banner_success")));
	add("cat", "cat", CAT);
	add("wait", "wait",
	    textf("socket_type = dgram\nserver = %s\nserver_args = %d\n",
		  place_program("wait_datagram"), WAIT_DATAGRAMS));
	add_multiplexed("muxed", "TCPMUX", talker("welcome"));
	add_multiplexed("muxed-plus", "TCPMUXPLUS", talker("hello"));
}

/* --- redirections ----------------------------------------------------------------------------- */

static void add_redirections(void)
{
	add("target", "echo", INTERNAL);
	add("target-proxied", "target-proxied",
	    textf("%sproxy_protocol = v2\nproxy_from = 127.0.0.1\n", talker("who")));
	add("redirect", "redirect",
	    textf("redirect = 127.0.0.1 %d\nlog_on_success += TRAFFIC\n", service_port("target")));
	add("redirect-proxied", "redirect-proxied",
	    textf("redirect = 127.0.0.1 %d\nsend_proxy = v2\n", service_port("target-proxied")));
}

/* --- what not every machine has --------------------------------------------------------------- */

static int try_namespaces(void)
{
	return unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET);
}

static void add_jail(void)
{
	static const char *const directories[] = { "", "/tmp", "/proc", "/dev" };
	const char *root = place_path("root");

	if (!is_superuser() || !isolation_is_allowed(try_namespaces)) {
		fprintf(stderr, "soak: no jail, which needs root and namespaces\n");
		return;
	}
	for (size_t i = 0; i < sizeof directories / sizeof directories[0]; i++)
		ck_assert_int_eq(mkdir(textf("%s%s", root, directories[i]), 0755), 0);
	ck_assert_int_eq(link(place_path("talker"), place_path("root/talker")), 0);
	add("jail", "jail",
	    textf("preset = jail\nroot = %s\nserver = /talker\nserver_args = count\n"
		  "memory = UNLIMITED\nprocesses = UNLIMITED\ncpu = UNLIMITED\n"
		  "instances = UNLIMITED\nper_source = UNLIMITED\n",
		  root));
}

static void add_terminal(void)
{
	if (access("/dev/ptmx", R_OK | W_OK) < 0)
		fprintf(stderr, "soak: no pty, which needs /dev/ptmx\n");
	else
		add("terminal", "terminal", textf("%spty = yes\n", talker("greet")));
}

/* --- all -------------------------------------------------------------------------------------- */

const char *extra_directory(void)
{
	return place_path("extra");
}

void file_of_service(const char *id, const char *name, int port, const char *lines)
{
	place_write(textf("extra/%s", id),
		    "service %s\n{\nid = %s\ntype = %s\nport = %d\nsocket_type = stream\n"
		    "protocol = tcp\nwait = no\nuser = %s\n%s}\n",
		    name, id, strstr(lines, "server") ? "UNLISTED" : "INTERNAL UNLISTED", port,
		    program_user(), lines);
}

void services_configure(void)
{
	known_count = 0;
	configure("daemon\n{\ncontrol_socket = control\nstatus_file = status\n}\n");
	add_defaults("cps = 0 0\n%slog_on_success += REASON\n", log_everything());
	ck_assert_int_eq(mkdir(extra_directory(), 0755), 0);
	configure("includedir %s\n", extra_directory());
	add_built_ins();
	add_limited();
	add_programs();
	add_redirections();
	add_jail();
	add_terminal();
}
