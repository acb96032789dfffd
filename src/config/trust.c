#include "config/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void trust_begin(struct trust *trust, uid_t owner, bool advise, struct problems *problems)
{
	*trust = (struct trust){
		.owner = owner, .advise = advise, .problems = problems, .place = { .directory = -1 }
	};
}

void trust_end(struct trust *trust)
{
	path_guard_leave(&trust->place);
}

bool trust_is_enforced(void)
{
	return geteuid() == 0;
}

static void write_fault(const struct path_guard *guard, char fault[static TRUST_TEXT_SIZE])
{
	char what[GUARD_TEXT_SIZE], remedy[GUARD_TEXT_SIZE];

	if (guard->is_changeable)
		snprintf(fault, TRUST_TEXT_SIZE, "%s, so others could decide what root does (%s)",
			 path_guard_fault(guard, what), path_guard_remedy(guard, remedy));
	else if (guard->refused_link)
		snprintf(fault, TRUST_TEXT_SIZE,
			 "a link in %s that others could have made is not "
			 "followed; name the file itself",
			 guard->culprit);
}

int trust_open(struct trust *trust, const char *path, int flags, char fault[static TRUST_TEXT_SIZE])
{
	struct path_guard guard; /* clearing it takes longer than opening */
	/* A FIFO must not block, and a terminal must not become the controlling one. */
	int all = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags;
	int fd, error;

	guard.trusted = trust->owner;
	fd = path_guard_open_near(&trust->place, &guard, path, all);
	error = errno;
	*fault = '\0';
	if (fd >= 0 || guard.refused_link)
		write_fault(&guard, fault);
	if (fd < 0 && guard.refused_link && !trust_is_enforced())
		return open(path, all);
	errno = error;
	return fd;
}

void trust_advise(struct trust *trust, const char *file, int line, const char *what,
		  const char *fault)
{
	if (!trust->advise || strcmp(trust->advised, fault) == 0)
		return;
	snprintf(trust->advised, sizeof trust->advised, "%s", fault);
	problem_add(trust->problems, ADVICE, file, line,
		    "%s: usherd would refuse it if root ran "
		    "it: %s",
		    what, fault);
}
