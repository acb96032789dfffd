/* Feeds arbitrary bytes to the port map reader and looks up what it found. */
#include "config/port_map.h"

#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void look_up_everything(const struct port_map *map)
{
	for (unsigned port = 0; port <= 1024; port++) {
		const char *name = port_map_name(map, (uint16_t)port, "tcp");

		if (name && port_map_find(map, name, "tcp") != (int)port)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	char path[sizeof "/proc/self/fd/2147483647"];
	struct problems problems = { 0 };
	struct port_map *map = port_map_new();
	int fd = memfd_create("services", MFD_CLOEXEC);

	if (!map || fd < 0 || write(fd, bytes, length) != (ssize_t)length)
		abort();
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (port_map_read(map, path, &problems) < 0)
		abort();
	look_up_everything(map);
	close(fd);
	port_map_free(map);
	problems_clear(&problems);
	return 0;
}
