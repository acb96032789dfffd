/* Who waits in the queue of a wait service's datagram socket. A server gets the
 * socket with all that is in it, so what stands before the datagram that it is
 * started for must be gone by then. */
#ifndef USHERD_FRONTEND_DATAGRAM_QUEUE_H
#define USHERD_FRONTEND_DATAGRAM_QUEUE_H

#include "frontend/service.h"

/* Finds whom to judge now. True: *sender sent the datagram at the front, which is
 * still there. False: nobody, or only senders whose names are not known yet; then
 * the listener rests for a moment and is readable again after it.
 *
 * While the names of a sender are looked up its datagram stays, but holds up nobody
 * whom the lists let in: as soon as there is such a one behind it, and when many
 * wait, it is taken off and refused. The names are remembered, so that the sender is
 * judged at once when it asks again. */
bool datagram_queue_front(struct listener *listener, struct address *sender);

#endif
