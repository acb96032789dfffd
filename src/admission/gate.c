#include "admission/gate.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

enum {
	IN4_SOURCE = SKF_NET_OFF + 12, /* RFC 791, 3.1 */
	TCP_SOURCE_PORT = 0,           /* RFC 9293, 3.1; where the filter of a TCP socket begins */
	ADMIT_ALL = 0xffff,            /* bytes of the segment */
	INSTRUCTIONS_MAX = 5 + 2 * GATE_MAX,
};

static void remove_at(struct gate *gate, unsigned place)
{
	gate->count--;
	memmove(&gate->ports[place], &gate->ports[place + 1],
		(gate->count - place) * sizeof gate->ports[0]);
}

void gate_add(struct gate *gate, uint16_t port)
{
	if (gate->count == GATE_MAX)
		remove_at(gate, 0);
	gate->ports[gate->count++] = port;
}

void gate_remove(struct gate *gate, uint16_t port)
{
	for (unsigned i = 0; i < gate->count; i++)
		if (gate->ports[i] == port) {
			remove_at(gate, i);
			return;
		}
}

int gate_attach(const struct gate *gate, int fd)
{
	struct sock_filter instructions[INSTRUCTIONS_MAX] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)IN4_SOURCE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, INADDR_LOOPBACK, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, TCP_SOURCE_PORT),
	};
	struct sock_fprog program = { .filter = instructions, .len = 4 };

	for (unsigned i = gate->count; i-- > 0;) { /* the newest comes next */
		instructions[program.len++] =
			(struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, gate->ports[i], 0,
						     1);
		instructions[program.len++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, ADMIT_ALL);
	}
	instructions[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
