/* What the kernel knows of a TCP connection (TCP_INFO). Nothing is taken from the connection: an
 * error that its owner has to see stays. */
#ifndef USHERD_BASE_TCP_STATE_H
#define USHERD_BASE_TCP_STATE_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_state {
	bool is_over;      /* both sides have finished, or it is broken */
	bool peer_is_done; /* the peer has finished sending; with is_over: unknown */
	bool is_finished;  /* the peer has acknowledged that this side has finished sending */
	uint64_t received; /* bytes; the peer's end counts as one */
	uint64_t acked;    /* bytes that the peer has acknowledged; this side's end counts as one */
	uint64_t written;  /* bytes that were given to the kernel for the peer, sent or not */
	uint64_t moved;    /* changes when a byte comes, leaves for the first time, or is
			    * acknowledged */
	uint64_t data_ms;  /* since the last segment with data, in either direction */
	uint64_t ack_ms;   /* since the last acknowledgement, of anything or of nothing new */
};

/* 0, or -1 with errno when fd is no TCP socket. */
int tcp_state_read(int fd, struct tcp_state *state) __attribute__((warn_unused_result));

/* The connections that wait in a listening socket to be accepted. */
struct tcp_queue {
	uint32_t length, limit;
};

/* 0, or -1 with errno when fd is no listening TCP socket. */
int tcp_queue_read(int fd, struct tcp_queue *queue) __attribute__((warn_unused_result));

#endif
