#include "monitor/rpc.h"

#include "base/address.h"

#ifdef HAVE_LIBTIRPC

#include "base/clock.h"
#include "base/container_of.h"
#include "base/library.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/worker.h"

#include <netconfig.h>
#include <rpc/rpc.h>
#include <rpc/rpcb_clnt.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(function) LIBRARY_IMPORT(function, tirpc.function)

/* Only the worker uses these. */
static struct {
	__typeof__(getnetconfigent) *getnetconfigent;
	__typeof__(freenetconfigent) *freenetconfigent;
	__typeof__(rpcb_set) *rpcb_set;
	__typeof__(rpcb_unset) *rpcb_unset;
} tirpc;

static bool load_tirpc(void)
{
	static const struct library_import imports[] = {
		IMPORT(getnetconfigent),
		IMPORT(freenetconfigent),
		IMPORT(rpcb_set),
		IMPORT(rpcb_unset),
	};

	return library_load("libtirpc.so.3", imports, sizeof imports / sizeof imports[0]);
}

/* One request: a program's versions, on one transport. */
struct request {
	struct job job;
	bool registers; /* or unregisters */
	rpcprog_t program;
	rpcvers_t first, last;
	const char *transport; /* "tcp", "tcp6" ... of netconfig(5) */
	struct address address;
	unsigned failures;
	char id[]; /* the service's */
};

enum { REQUESTS_MAX = 16384 }; /* pending; the frontend may send a flood */

static struct worker_pool *pool;
static unsigned pending;

static bool ask(const struct request *request, rpcvers_t version, const struct netconfig *transport)
{
	struct address address = request->address;
	struct netbuf buffer = {
		.maxlen = address.length,
		.len = address.length,
		.buf = &address.any,
	};

	/* rpcb_set fails if an old registration is left. */
	if (!tirpc.rpcb_unset(request->program, version, transport) && !request->registers)
		return false;
	return !request->registers || tirpc.rpcb_set(request->program, version, transport, &buffer);
}

static void on_run(struct job *job)
{
	struct request *request = container_of(job, struct request, job);
	struct netconfig *transport =
		load_tirpc() ? tirpc.getnetconfigent(request->transport) : NULL;

	for (rpcvers_t version = request->first; version <= request->last; version++)
		if (!transport || !ask(request, version, transport))
			request->failures++;
	if (transport)
		tirpc.freenetconfigent(transport);
}

static void on_done(struct job *job)
{
	struct request *request = container_of(job, struct request, job);

	pending--;
	if (request->failures && request->registers)
		log_error("service %s: rpcbind did not register %u versions of program %lu for %s",
			  request->id, request->failures, (unsigned long)request->program,
			  request->transport);
	free(request);
}

static const char *transport_name(const struct service_settings *settings, int family)
{
	if (settings->socket_type == SOCK_STREAM)
		return family == AF_INET6 ? "tcp6" : "tcp";
	return family == AF_INET6 ? "udp6" : "udp";
}

static void submit(const struct service_settings *settings, int family,
		   const struct address *address)
{
	size_t size = strlen(settings->id) + 1;
	struct request *request = calloc(1, sizeof *request + size);

	if (!pool && (pool = worker_pool_new(1, 1)))
		worker_pool_set_room(pool, REQUESTS_MAX);
	if (!request || !pool) {
		log_error("service %s: out of memory for rpcbind", settings->id);
		free(request);
		return;
	}
	request->job.run = on_run;
	request->job.done = on_done;
	request->registers = address != NULL;
	request->program = settings->rpc_number;
	request->first = (rpcvers_t)settings->rpc_version_first;
	request->last = (rpcvers_t)settings->rpc_version_last;
	request->transport = transport_name(settings, family);
	if (address)
		request->address = *address;
	memcpy(request->id, settings->id, size);
	if (worker_submit(pool, &request->job) == 0)
		pending++;
	else
		free(request);
}

/* A socket of both families is registered for both. */
static bool serves_ipv4_too(int fd, int family)
{
	int v6only = 1;
	socklen_t size = sizeof v6only;

	return family == AF_INET6 &&
	       getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &size) == 0 && !v6only;
}

void rpc_register(const struct service_settings *settings, int fd)
{
	struct address address;

	if (address_of_socket(fd, &address) < 0)
		return;
	submit(settings, address.any.sa_family, &address);
	if (serves_ipv4_too(fd, address.any.sa_family)) {
		uint16_t port = address_port(&address);

		if (address_parse(&address, "0.0.0.0", port) == 0)
			submit(settings, AF_INET, &address);
	}
}

void rpc_unregister(const struct service_settings *settings, int family)
{
	submit(settings, family, NULL);
	if (family == AF_INET6 && !settings->v6only)
		submit(settings, AF_INET, NULL);
}

void rpc_finish(uint64_t milliseconds)
{
	uint64_t end = clock_now() + milliseconds;

	while (pending > 0 && clock_now() < end)
		loop_turn((int)(end - clock_now()));
}

#else /* check.c refuses RPC services then */

void rpc_register(const struct service_settings *settings, int fd)
{
	(void)settings;
	(void)fd;
}

void rpc_unregister(const struct service_settings *settings, int family)
{
	(void)settings;
	(void)family;
}

void rpc_finish(uint64_t milliseconds)
{
	(void)milliseconds;
}

#endif
