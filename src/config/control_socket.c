#include "config/control_socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const char *control_socket_default(char path[static PATH_MAX])
{
	const char *directory = secure_getenv("XDG_RUNTIME_DIR");
	int length;

	if (geteuid() == 0)
		return CONTROL_PATH;
	if (!directory || directory[0] != '/')
		return NULL;
	length = snprintf(path, PATH_MAX, "%s/usherd/control", directory);
	return length < PATH_MAX ? path : NULL;
}
