/* A listening socket on the loopback interface that admits known ports alone: a
 * classic BPF program, which the kernel runs for each segment. */
#ifndef USHERD_ADMISSION_GATE_H
#define USHERD_ADMISSION_GATE_H

#include <stdint.h>

/* Ports of this host from which connections may come in, the newest last. */
enum { GATE_MOST = 64 };

struct gate {
	uint16_t ports[GATE_MOST];
	unsigned count;
};

/* Attaches gate to fd, a listening socket on 127.0.0.1 or one that is to be: whatever
 * comes from elsewhere is dropped by the kernel. Returns 0, or -1 with errno. */
int gate_attach(const struct gate *gate, int fd) __attribute__((warn_unused_result));

/* The oldest gives way when there are GATE_MOST: its connection has long been made,
 * and one that is made passes by the ports that there were at that time. */
void gate_add(struct gate *gate, uint16_t port);

/* Harmless for a port that was not added. */
void gate_remove(struct gate *gate, uint16_t port);

#endif
