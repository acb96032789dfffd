/* The single server of a stream service with wait = yes: accepts connections
 * one after the other from the listener on descriptor 0. Each gets a line
 * "pid=PID peer=REMOTE_HOST", then sends lines: "next" ends the connection,
 * "quit" the server; any other line comes back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Returns 0 when the client wants the server to end. */
static int serve(FILE *stream)
{
	const char *peer = getenv("REMOTE_HOST");
	char line[256];

	fprintf(stream, "pid=%d peer=%s\n", (int)getpid(), peer ? peer : "");
	fflush(stream);
	while (fgets(line, sizeof line, stream)) {
		if (strcmp(line, "next\n") == 0)
			return 1;
		if (strcmp(line, "quit\n") == 0)
			return 0;
		fseek(stream, 0, SEEK_CUR);
		fputs(line, stream);
		fflush(stream);
	}
	return 1;
}

int main(void)
{
	int goes_on = 1;

	while (goes_on) {
		int connection = accept(0, NULL, NULL);
		FILE *stream;

		if (connection < 0)
			return 1;
		stream = fdopen(connection, "r+");
		if (!stream)
			return 1;
		goes_on = serve(stream);
		fclose(stream);
	}
	return 0;
}
