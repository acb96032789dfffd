/* A filter for a listening socket on the loopback interface that admits only known source
 * ports: a classic BPF program, which the kernel runs for each segment. */
#ifndef USHERD_ADMISSION_GATE_H
#define USHERD_ADMISSION_GATE_H

#include <stdint.h>

/* Ports of this host from which connections may come in, the newest last. */
enum { GATE_MAX = 64 };

struct gate {
	uint16_t ports[GATE_MAX];
	unsigned count;
};

/* Attaches gate to fd, a socket on 127.0.0.1 that listens or will listen: the kernel drops
 * segments from other ports. Returns 0, or -1 with errno. */
int gate_attach(const struct gate *gate, int fd) __attribute__((warn_unused_result));

/* When there are GATE_MAX the oldest is dropped: its connection has been made long
 * ago, and an existing connection keeps the filter it was made under. */
void gate_add(struct gate *gate, uint16_t port);

/* Harmless for a port that was not added. */
void gate_remove(struct gate *gate, uint16_t port);

#endif
