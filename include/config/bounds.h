/* Limits of one load: far above any real configuration, so that a file of another kind,
 * or endless includes, soon give an error. Internal to config. */
#ifndef USHERD_CONFIG_BOUNDS_H
#define USHERD_CONFIG_BOUNDS_H

enum {
	CONFIG_SIZE_MAX = 16 << 20, /* bytes of a file */
	LOAD_SIZE_MAX = 64 << 20,   /* of all files together */
	LOAD_FILES_MAX = 20000,     /* one that is included twice counts twice */
	LOAD_ENTRIES_MAX = 100000,
	INCLUDE_DEPTH_MAX = 16,
	LINE_LENGTH_MAX = 1 << 20,
	WORD_LENGTH_MAX = 128 << 10,   /* the limit of execve(2) */
	VALUES_MAX = 1 << 17,          /* of one attribute of an entry, defaults included */
	LOAD_VALUES_MAX = 1 << 22,     /* of all services, inherited ones included */
	ENV_MAX = 1000,                /* variables in env */
	FILTER_RULES_MAX = 1024,       /* a rule takes 4 of the kernel's 4096 instructions */
	RULE_FILES_MAX = 1000,         /* files of rules (@FILE) */
	FILE_RULES_MAX = 1 << 20,      /* rules of one */
	LOAD_FILE_RULES_MAX = 1 << 22, /* rules of all of them */
	FILE_ERRORS_MAX = 16,          /* reported of one */
};

#endif
