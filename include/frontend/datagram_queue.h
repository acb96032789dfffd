/* The queue of a wait service's datagram socket. A server gets the socket with the whole
 * queue, so refused datagrams in front of the one it is started for must be removed
 * first. */
#ifndef USHERD_FRONTEND_DATAGRAM_QUEUE_H
#define USHERD_FRONTEND_DATAGRAM_QUEUE_H

#include "frontend/service.h"

/* Finds the next sender to decide about. True: *sender sent the datagram at the front,
 * which is still there. False: the queue is empty, or has only senders whose names are not
 * known yet; the listener is then paused for a short time.
 *
 * While the names of a sender are looked up its datagram stays in the queue. It is removed
 * and refused as soon as a datagram of an admitted sender is behind it, or when many wait.
 * The names are remembered, so the decision is immediate when the sender sends again. */
bool datagram_queue_front(struct listener *listener, struct address *sender);

#endif
