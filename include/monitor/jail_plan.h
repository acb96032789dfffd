/* What a session's namespaces and mounts are to be, ready for a child to make them: nothing in
 * it has to be looked up or allocated. Constant once the jail is made. */
#ifndef USHERD_MONITOR_JAIL_PLAN_H
#define USHERD_MONITOR_JAIL_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { JAIL_HIDDEN_MAX = 4 };

struct jail_scratch {
	const char *path;
	char options[112]; /* of the tmpfs, for mount(2) */
};

struct jail_plan {
	const char *root;   /* NULL: the host's */
	bool is_privileged; /* made by root, which must not follow links that others have laid */
	bool has_devices, has_proc, has_no_network;
	const struct jail_scratch *scratch;
	size_t scratch_count;
	char *const *writable;
	size_t writable_count;
	const char *hidden[JAIL_HIDDEN_MAX]; /* directories; see jail_hidden.h */
	size_t hidden_count;
	char *const *devices; /* names in /dev */
	size_t device_count;
	bool keeps_host_proc; /* in a template: without it procfs can't be mounted here */
	dev_t device;         /* of the root that the template has */
	ino_t inode;
	int clone_flags;               /* namespaces that clone(2) makes */
	char uid_map[32], gid_map[32]; /* for /proc/self/uid_map; without root's privileges */
};

/* What a child found, or failed at. */
struct jail_report {
	const char *attribute; /* NULL: at the namespaces themselves */
	const char *path;      /* NULL: none */
	int error;             /* errno; 0: nothing failed */
	dev_t device;          /* of root */
	ino_t inode;
};

#endif
