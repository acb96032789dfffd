/* Limits of one load: far above any real configuration, so that a file of another kind,
 * or endless includes, soon give an error. Internal to config. */
#ifndef USHERD_CONFIG_BOUNDS_H
#define USHERD_CONFIG_BOUNDS_H

enum {
	CONFIG_SIZE_MOST = 16 << 20, /* bytes of a file */
	LOAD_SIZE_MOST = 64 << 20,   /* of all files together */
	LOAD_FILES_MOST = 20000,     /* one that is included twice counts twice */
	LOAD_ENTRIES_MOST = 100000,
	INCLUDE_DEPTH_MOST = 16,
	LINE_LENGTH_MOST = 1 << 20,
	WORD_LENGTH_MOST = 128 << 10, /* the limit of execve(2) */
	VALUES_MOST = 1 << 16,       /* of one attribute of an entry, defaults included */
	LOAD_VALUES_MOST = 1 << 22,  /* of all services, inherited ones included */
	ENV_MOST = 1000,             /* variables in env */
};

#endif
