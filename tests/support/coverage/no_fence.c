/* Replaces fence_enter in the daemon of `make coverage`: behind the fence the frontend
 * could not write its counts. */
#include "frontend/fence.h"

int __wrap_fence_enter(const struct fence_user *user, const char **step);

int __wrap_fence_enter(const struct fence_user *user, const char **step)
{
	(void)user;
	*step = "";
	return 0;
}
