#include "admission/intercept.h"

#include "admission/packet_filter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool intercepts_streams(const struct service_settings *settings)
{
	return (settings->flags & FLAG_INTERCEPT) && service_is_stream(settings);
}

bool intercepts_datagrams(const struct service_settings *settings)
{
	return (settings->flags & FLAG_INTERCEPT) && !service_is_stream(settings);
}

int intercept_prepare(int fd)
{
	int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
}

int intercept_filter(int fd, const struct access_list *only_from,
		     const struct access_list *no_access)
{
	struct sock_filter *instructions = calloc(BPF_MAXINSNS, sizeof *instructions);
	struct sock_fprog program = { .filter = instructions };
	int result;

	if (!instructions)
		return -1;
	program.len = (unsigned short)packet_filter_build(only_from, no_access, instructions,
							  BPF_MAXINSNS);
	errno = E2BIG;
	result = program.len == 0 ? -1
				  : setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program,
					       sizeof program);
	free(instructions);
	return result;
}

/* Refuses all datagrams while the addresses of names in the lists are not known. */
static int refuse_everybody(int fd)
{
	const struct access_list nobody = { .is_set = true }, no_one = { .count = 0 };

	return intercept_filter(fd, &nobody, &no_one);
}

int intercept_open_refused(const struct address *address, int v6only,
			   const struct service_settings *settings)
{
	int fd =
		socket(address->any.sa_family, settings->socket_type | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       settings->protocol_number);

	if (fd < 0)
		return -1;
	if (address->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
	if (intercept_prepare(fd) == 0 && bind(fd, &address->any, address->length) == 0 &&
	    refuse_everybody(fd) == 0)
		return fd;
	close(fd);
	return -1;
}
