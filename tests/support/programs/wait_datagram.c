/* The single server of a datagram service: answers each datagram on descriptor
 * 0 with "pid=PID peer=REMOTE_HOST DATA", and ends after one that begins with
 * "quit", or after as many datagrams as its argument says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long left = argc > 1 ? atol(argv[1]) : -1;
	const char *peer = getenv("REMOTE_HOST");
	char data[2048], answer[4096];

	while (left-- != 0) {
		struct sockaddr_storage from;
		socklen_t length = sizeof from;
		ssize_t got =
			recvfrom(0, data, sizeof data - 1, 0, (struct sockaddr *)&from, &length);
		int size;

		if (got < 0)
			return 1;
		data[got] = '\0';
		size = snprintf(answer, sizeof answer, "pid=%d peer=%s %s", (int)getpid(),
				peer ? peer : "", data);
		sendto(0, answer, (size_t)size, 0, (struct sockaddr *)&from, length);
		if (strncmp(data, "quit", 4) == 0)
			return 0;
	}
	return 0;
}
