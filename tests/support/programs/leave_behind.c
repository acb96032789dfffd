/* A server with wait = yes that goes to the background: several processes, which keep
 * accepting connections from its socket and close them. */
#include <sys/socket.h>
#include <unistd.h>

enum { PROCESSES = 4 };

static void accept_and_close(void)
{
	int fd;

	while ((fd = accept(0, NULL, NULL)) >= 0)
		close(fd);
}

int main(void)
{
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			accept_and_close();
			return 1;
		}
	return 0;
}
