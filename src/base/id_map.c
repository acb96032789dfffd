#include "base/id_map.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 16384 }; /* of 340 lines, the kernel's most */

bool id_map_has(const char *text, id_t id)
{
	unsigned long first, outside, count;
	int length;

	for (; sscanf(text, "%lu %lu %lu%n", &first, &outside, &count, &length) == 3;
	     text += length)
		if (id >= first && id - first < count)
			return true;
	return false;
}

/* False: it can't be read. */
static bool read_text(const char *path, char text[static TEXT_SIZE])
{
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(text, 1, TEXT_SIZE - 1, file) : 0;

	if (file)
		fclose(file);
	text[length] = '\0';
	return length > 0;
}

static bool is_mapped(const char *path, id_t id)
{
	char text[TEXT_SIZE];

	return !read_text(path, text) || id_map_has(text, id);
}

static bool can_drop_groups(void)
{
	char text[TEXT_SIZE];

	return !read_text("/proc/self/setgroups", text) || strncmp(text, "deny", 4) != 0;
}

bool id_map_allows(uid_t uid, gid_t gid)
{
	return is_mapped("/proc/self/uid_map", uid) && is_mapped("/proc/self/gid_map", gid) &&
	       can_drop_groups();
}
