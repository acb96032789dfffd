/* Messages that the daemon itself would never send. */
#ifndef USHERD_TESTS_SUPPORT_RAW_MESSAGE_H
#define USHERD_TESTS_SUPPORT_RAW_MESSAGE_H

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

enum { RAW_DESCRIPTORS_MAX = 16 };

/* sendmsg(2) of the bytes and count descriptors. */
static inline ssize_t raw_message_send(int socket, const void *bytes, size_t size,
				       const int descriptors[], unsigned count)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(RAW_DESCRIPTORS_MAX * sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(count * sizeof(int)) } };
	struct iovec vector = { (void *)(uintptr_t)bytes, size };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (count > 0) {
		memcpy(CMSG_DATA(&control.header), descriptors, count * sizeof(int));
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
	}
	return sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

#endif
