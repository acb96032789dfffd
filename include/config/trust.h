/* Whether others can change what decides what root does: configuration files,
 * port maps, the programs of root's services, and everything on the way to them.
 * Others are all but root and whoever owned the file that -f names when the program
 * began, whom the administrator chose. As anybody else than root it is only advice. Internal to
 * config. */
#ifndef USHERD_CONFIG_TRUST_H
#define USHERD_CONFIG_TRUST_H

#include "base/path_guard.h"
#include "config/problem.h"

#include <stdbool.h>

enum { TRUST_TEXT_SIZE = 2 * GUARD_TEXT_SIZE + 64 };

struct trust {
	uid_t owner; /* who is trusted besides root */
	bool advise; /* also say what root would refuse */
	struct problems *problems;
	char advised[TRUST_TEXT_SIZE]; /* what was said last */
	struct path_guard_place place; /* where the last file was; others will be there */
};

/* Besides root, owner is trusted. To be ended with trust_end. */
void trust_begin(struct trust *trust, uid_t owner, bool advise, struct problems *problems);

void trust_end(struct trust *trust);

/* True for root: what has a fault is to be refused. */
bool trust_is_enforced(void);

/* Opens path for reading, with O_NONBLOCK and these flags besides, and writes
 * how others can change it and what mends that, or "", to fault. Returns the
 * descriptor, or -1 with errno; with a fault too when root must not follow a
 * link on the way. */
int trust_open(struct trust *trust, const char *path, int flags,
	       char fault[static TRUST_TEXT_SIZE]) __attribute__((warn_unused_result));

/* Advises, at that place and not twice in a row, that root would refuse what, if
 * advice is wanted. */
void trust_advise(struct trust *trust, const char *file, int line, const char *what,
		  const char *fault);

#endif
