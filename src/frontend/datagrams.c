#include "frontend/datagrams.h"

#include "admission/host_names.h"
#include "frontend/candidates.h"
#include "frontend/sensors.h"
#include "session/record.h"

#include <netinet/in.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { BATCH = 32 };

/* One datagram and its answer. */
struct exchange {
	unsigned char request[DATAGRAM_MAX], answer[DATAGRAM_MAX];
	struct sockaddr_storage peer;
	alignas(struct cmsghdr) unsigned char control[64]; /* one packet info */
	struct iovec in, out;
};

/* Static: pages that are never used take no memory. */
static struct exchange exchanges[BATCH];
static struct mmsghdr received[BATCH], sent[BATCH];

/* Ports on which the daemon or its servers answer datagrams, or did before a reload. */
static bool is_own_port[UINT16_MAX + 1];

void datagrams_prepare(int fd, int family, bool answers)
{
	struct address address;
	int on = answers;

	if (address_of_socket(fd, &address) == 0)
		is_own_port[address_port(&address)] = true;

	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	else
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
}

static void prepare_to_receive(int i)
{
	struct exchange *exchange = &exchanges[i];

	exchange->in = (struct iovec){ exchange->request, sizeof exchange->request };
	received[i].msg_hdr = (struct msghdr){
		.msg_name = &exchange->peer,
		.msg_namelen = sizeof exchange->peer,
		.msg_iov = &exchange->in,
		.msg_iovlen = 1,
		.msg_control = exchange->control,
		.msg_controllen = sizeof exchange->control,
	};
}

/* Many services answer every datagram. If the daemon answered a forged datagram from the
 * port of one, the two would answer each other for ever. Clients do not use such ports. */
static bool is_service_port(uint16_t port)
{
	return port < IPPORT_RESERVED || is_own_port[port];
}

/* --- admission --- */

struct seen_names {
	struct candidate *candidate;
	struct judgement judgement;
};

static void on_names(void *context, const char *const *names)
{
	struct seen_names *seen = context;

	seen->candidate->names = names;
	seen->judgement = admission_judge(STEP_ADDRESS, seen->candidate);
}

/* A datagram can't wait for a name. The lookup continues, for the sender's next one. */
static struct judgement judge_address(const struct service *service, struct candidate *candidate)
{
	struct seen_names seen = { candidate, admission_judge(STEP_ADDRESS, candidate) };
	struct turn_owner owner = service_turn_owner(service);
	struct name_query *query;

	if (!seen.judgement.needs_names)
		return seen.judgement;
	query = host_names_find(&owner, candidate->peer, on_names, &seen);
	if (query)
		host_names_cancel(query);
	return seen.judgement;
}

struct judgement datagrams_judge(struct service *service, const struct address *peer)
{
	struct candidate candidate = candidate_for(service, peer, WAY_SERVER);

	return judge_address(service, &candidate);
}

void datagrams_refuse(struct service *service, const struct address *peer)
{
	struct refusal refusal = { .verdict = REFUSED_ADDRESS, .peer = peer };

	service_refused(service, &refusal, NULL);
}

/* While the sender's names are not known its datagram is dropped: a client repeats it. */
static struct judgement walk(struct service *service, const struct address *peer)
{
	struct candidate candidate = candidate_for(service, peer, WAY_DATAGRAM);
	struct judgement judgement = { .verdict = ADMITTED };

	for (enum admission_step step = 0; step < ADMISSION_STEPS; step++) {
		if (!admission_applies(step, &candidate))
			continue;
		judgement = step == STEP_ADDRESS ? judge_address(service, &candidate)
						 : admission_judge(step, &candidate);
		if (!candidate_heed(service, peer, judgement))
			break;
	}
	return judgement;
}

static bool admit(struct service *service, const struct address *peer)
{
	struct judgement judgement = walk(service, peer);
	struct refusal refusal = {
		.verdict = judgement.verdict,
		.peer = peer,
		.rule = judgement.rule,
	};

	if (refusal.verdict == ADMITTED && (service->settings->flags & FLAG_SENSOR)) {
		sensors_touched(service->settings, peer);
		refusal.verdict = REFUSED_ADDRESS;
		refusal.rule = NULL;
	}
	if (refusal.verdict == ADMITTED) {
		service->started++;
		record_answer(service->settings, service->log, peer);
		return true;
	}
	service_refused(service, &refusal, NULL);
	return false;
}

/* --- answers --- */

/* Sets the answer's source address. Routing chooses the interface, except for a
 * link-local address, which means nothing without one. */
static size_t source_control(struct msghdr *request)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(request);

	if (!header)
		return 0;
	if (header->cmsg_level == IPPROTO_IP) {
		struct in_pktinfo *info = (void *)CMSG_DATA(header);

		info->ipi_ifindex = 0;
	} else {
		struct in6_pktinfo *info = (void *)CMSG_DATA(header);

		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
			info->ipi6_ifindex = 0;
	}
	return request->msg_controllen;
}

/* Appends the answer to datagram i, if any, to the count answers. Returns the new count. */
static int answer(struct listener *listener, int i, int count)
{
	struct service *service = listener->service;
	struct exchange *exchange = &exchanges[i];
	struct msghdr *request = &received[i].msg_hdr;
	struct address peer =
		address_from_sockaddr((struct sockaddr *)&exchange->peer, request->msg_namelen);
	size_t length;

	/* A SENSOR answers nobody and reports every sender. */
	if (service->handler != &sensor_handler && is_service_port(address_port(&peer)))
		return count;
	if (!admit(service, &peer))
		return count;
	length = service->handler->answer(exchange->request, received[i].msg_len, exchange->answer,
					  sizeof exchange->answer);
	if (length == 0 && service->handler != &echo_handler)
		return count;
	exchange->out = (struct iovec){ exchange->answer, length };
	sent[count].msg_hdr = (struct msghdr){
		.msg_name = &exchange->peer,
		.msg_namelen = request->msg_namelen,
		.msg_iov = &exchange->out,
		.msg_iovlen = 1,
		.msg_control = exchange->control,
		.msg_controllen = source_control(request),
	};
	return count + 1;
}

/* An answer that can't be sent is lost, as datagrams are; the next one is not. */
static void send_answers(int fd, int count)
{
	int done = 0;

	while (done < count) {
		int some = sendmmsg(fd, sent + done, (unsigned)(count - done),
				    MSG_DONTWAIT | MSG_NOSIGNAL);

		done += some > 0 ? some : 1;
	}
}

void datagrams_serve(struct listener *listener)
{
	int got, count = 0;

	for (int i = 0; i < BATCH; i++)
		prepare_to_receive(i);
	got = recvmmsg(listener->watch.fd, received, BATCH, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++)
		count = answer(listener, i, count);
	if (listener_is_open(listener))
		send_answers(listener->watch.fd, count);
}
