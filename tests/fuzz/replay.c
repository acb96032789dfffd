/* Gives each file on the command line, or in a directory on it, to a fuzz target, as
 * libFuzzer would: inputs that once crashed must not crash again. */
#include <errno.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Memory of exactly that size, so that a sanitizer sees a read beyond it. */
static uint8_t *read_file(const char *path, size_t size)
{
	uint8_t *bytes = malloc(size > 0 ? size : 1);
	FILE *file = fopen(path, "re");

	if (!bytes || !file || fread(bytes, 1, size, file) != size) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
	fclose(file);
	return bytes;
}

static void replay(const FTSENT *entry)
{
	size_t size = (size_t)entry->fts_statp->st_size;
	uint8_t *bytes = read_file(entry->fts_accpath, size);

	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
}

int main(int argc, char **argv)
{
	FTS *files = argc > 1 ? fts_open(argv + 1, FTS_LOGICAL | FTS_NOCHDIR, NULL) : NULL;
	const FTSENT *entry;
	unsigned count = 0;

	if (!files) {
		fprintf(stderr, "usage: %s FILE|DIRECTORY ...\n", argv[0]);
		return EXIT_FAILURE;
	}
	while ((entry = fts_read(files)) != NULL)
		if (entry->fts_info == FTS_F) {
			replay(entry);
			count++;
		}
	fts_close(files);
	printf("%s: %u inputs\n", argv[0], count);
	return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
