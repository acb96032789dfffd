/* Answers at the control socket (config/control_socket.h). Loop thread only. */
#ifndef USHERD_FRONTEND_CONTROL_H
#define USHERD_FRONTEND_CONTROL_H

#include "channel/message.h"

enum {
	CONTROL_CLIENTS_MAX = 8,    /* others wait in the kernel */
	CONTROL_ASKING_MAX = 4,     /* of them that only ask for the status; others are refused */
	CONTROL_REQUEST_MS = 5000,  /* until the whole request has come */
	CONTROL_ANSWER_MS = 10000,  /* until the client takes more of its answer */
	CONTROL_RELOAD_MS = 120000, /* until a reload is over */
	CONTROL_SHORTAGE_MS = 100,  /* from a failed accept(2) to the next one */
};

/* Reserves descriptors: before descriptors_init, which counts them. */
void control_init(void);

/* Serves the socket, which it takes over, in place of the one before; -1: none. Root, the owner
 * and members of the group may use it; members of the other one may only ask for the status. One
 * client is served even if no descriptor is free. */
void control_serve(int listening, const struct control_message *who);

/* A reload is over, and whoever waits for one with at most that ticket gets its answer. */
void control_reloaded(uint64_t ticket);

#endif
