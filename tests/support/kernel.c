#include "support/kernel.h"

#include "base/cgroup_mounts.h"

#include <check.h>
#include <limits.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* An IPv6 socket that an IPv4 client is connected to; *client is the client's. */
static int mapped_connection(int *client)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof any;
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), connection;
	const int no = 0;

	setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&any, length), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&any, &length), 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = any.sin6_port;
	*client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(*client, (struct sockaddr *)&address, sizeof address), 0);
	connection = accept(listener, NULL, NULL);
	ck_assert_int_ge(connection, 0);
	close(listener);
	return connection;
}

bool kernel_changes_family(void)
{
	static const int family = AF_INET;
	int client, connection = mapped_connection(&client);
	int result = setsockopt(connection, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof family);

	close(connection);
	close(client);
	return result == 0;
}

bool kernel_has_cgroups(void)
{
	char path[PATH_MAX];

	return geteuid() == 0 && cgroup_mounts_own(NULL, path) && access(path, W_OK) == 0;
}
