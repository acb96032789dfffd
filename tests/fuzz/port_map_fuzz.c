/* Feeds arbitrary bytes to the port map reader and looks up what it found. */
#include "config/port_map.h"
#include "base/span.h"

#include "fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* The first word of each line, mapped or not. */
static void look_up_everything(const struct port_map *map, const uint8_t *bytes, size_t length)
{
	struct lines lines;
	struct span line;
	char name[300];

	lines_begin(&lines, (const char *)bytes, length);
	while (lines_next(&lines, &line)) {
		struct span word = span_take_word(&line);
		int port;

		snprintf(name, sizeof name, "%.*s", (int)span_length(word), word.start);
		port = port_map_find(map, name, "tcp");
		if (port < -1 || port == 0 || port > UINT16_MAX)
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
	look_up_everything(map, bytes, length);
	close(fd);
	port_map_free(map);
	problems_clear(&problems);
	return 0;
}
