/* The way in: from an accepted connection to its handler. Banner, admission,
 * the looking up of names, hosts.allow and identd, in that order, cheapest
 * first; whatever waits has a deadline and does not block. */
#ifndef USHERD_SERVER_RECEPTION_H
#define USHERD_SERVER_RECEPTION_H

#include "server/service.h"

struct sensor_list;

/* Prepares what all services share. process_limit: -limit, 0 for none;
 * ident_limit: -logprocs, how many refused peers' identd may be asked at a time.
 * Returns 0, or -1 with errno. */
int reception_init(unsigned process_limit, unsigned ident_limit)
	__attribute__((warn_unused_result));

/* Receives a connection. fd is the reception's from here on. */
void reception_connection(struct service *service, int fd, const struct address *peer);

/* A tcpmux client that wants this service: the same, but for the positive reply
 * of TCPMUXPLUS and a negative one when it is refused. */
void reception_multiplexed(struct service *service, int fd, const struct address *peer);

/* A wait service's socket is readable: judges who knocks, as far as that is
 * known, and starts the server. peer is unknown for a stream. */
void reception_wait(struct listener *listener, const struct address *peer);

/* Judges a datagram to a built-in. Logs and counts. */
bool reception_admits_datagram(struct service *service, const struct address *peer);

/* Logs and counts a datagram whose sender is refused; one who insists is logged
 * once a minute. */
void reception_refused_datagram(struct service *service, const struct address *peer);

/* True when the settings' address lists, and bans, have nothing against a peer
 * whose session runs. */
bool reception_still_admits(const struct service_settings *settings, const struct address *peer);

/* The addresses that touched a sensor. */
struct sensor_list *reception_sensor_list(void);

#endif
