/* Whether others can change the files that decide what root does: configuration files,
 * port maps, the programs of root's services, and everything on their paths. Others are
 * all users except root and the owner of the file of -f when the program began. If the
 * program does not run as root, faults are only advice. Internal to config. */
#ifndef USHERD_CONFIG_TRUST_H
#define USHERD_CONFIG_TRUST_H

#include "base/path_guard.h"
#include "config/problem.h"

#include <stdbool.h>

enum { TRUST_TEXT_SIZE = 2 * GUARD_TEXT_SIZE + 64 };

struct trust {
	uid_t owner; /* trusted besides root */
	bool advise; /* also report what root would refuse */
	struct problems *problems;
	char advised[TRUST_TEXT_SIZE]; /* the last advice */
	struct path_guard_place place; /* the directory of the last file */
};

/* To be ended with trust_end. */
void trust_begin(struct trust *trust, uid_t owner, bool advise, struct problems *problems);

void trust_end(struct trust *trust);

/* True for root: files with a fault are refused. */
bool trust_is_enforced(void);

/* Opens path for reading, with O_NONBLOCK and these flags too, and writes how others can
 * change it and the remedy, or "", to fault. Returns the descriptor, or -1 with errno;
 * then with a fault if root must not follow a link on the path. */
int trust_open(struct trust *trust, const char *path, int flags, char fault[static TRUST_TEXT_SIZE])
	__attribute__((warn_unused_result));

/* If advice is wanted, reports at that place that usherd would refuse the file `what` if root ran
 * it, and the fault. Does not report the same fault twice in a row. */
void trust_advise(struct trust *trust, const char *file, int line, const char *what,
		  const char *fault);

#endif
