#include "base/tcp_state.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* The kernel's numbers; its header and the C library's can't be used together. */
enum {
	STATE_TIME_WAIT = 6,
	STATE_CLOSE = 7,
	STATE_CLOSE_WAIT = 8,
	STATE_LAST_ACK = 9,
	STATE_LISTEN = 10,
	STATE_CLOSING = 11,
};

static uint64_t least(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

/* Without repetitions. Kernels before 4.19, whose answer is short, count only what is
 * acknowledged. */
static uint64_t sent(const struct tcp_info *info, socklen_t size)
{
	if (size < offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof info->tcpi_bytes_retrans)
		return info->tcpi_bytes_acked;
	return info->tcpi_bytes_sent - info->tcpi_bytes_retrans;
}

int tcp_state_read(int fd, struct tcp_state *state)
{
	struct tcp_info info;
	socklen_t size = sizeof info;

	memset(&info, 0, sizeof info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return -1;
	*state = (struct tcp_state){
		.is_over = info.tcpi_state == STATE_CLOSE || info.tcpi_state == STATE_TIME_WAIT,
		.peer_is_done = info.tcpi_state == STATE_CLOSE_WAIT ||
				info.tcpi_state == STATE_LAST_ACK ||
				info.tcpi_state == STATE_CLOSING,
		.is_finished = info.tcpi_bytes_acked > sent(&info, size),
		.received = info.tcpi_bytes_received,
		.acked = info.tcpi_bytes_acked,
		.written = sent(&info, size) + info.tcpi_notsent_bytes,
		.moved = info.tcpi_bytes_received + info.tcpi_bytes_acked + sent(&info, size),
		.data_ms = least(info.tcpi_last_data_sent, info.tcpi_last_data_recv),
		.ack_ms = info.tcpi_last_ack_recv,
	};
	return 0;
}

/* Of a listening socket the kernel reports the queue in place of what is not acknowledged. */
int tcp_queue_read(int fd, struct tcp_queue *queue)
{
	struct tcp_info info;
	socklen_t size = sizeof info;

	memset(&info, 0, sizeof info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
		return -1;
	if (info.tcpi_state != STATE_LISTEN) {
		errno = EINVAL;
		return -1;
	}
	*queue = (struct tcp_queue){ .length = info.tcpi_unacked, .limit = info.tcpi_sacked };
	return 0;
}
