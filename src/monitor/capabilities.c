#include "monitor/capabilities.h"

#include "config/capability_names.h"
#include "monitor/in_child.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORDS = _LINUX_CAPABILITY_U32S_3, CAPABILITIES = 64 };

static const uint64_t may_drop = UINT64_C(1) << CAP_SETPCAP;

IN_CHILD static bool has(uint64_t set, unsigned capability)
{
	return set >> capability & 1;
}

/* What the process may use; 0 when that can't be read. */
IN_CHILD static uint64_t permitted(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct words[WORDS] = { { 0 } };

	if (syscall(SYS_capget, &header, words) < 0)
		return 0;
	return words[0].permitted | (uint64_t)words[1].permitted << 32;
}

IN_CHILD static int set(uint64_t usable, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct words[WORDS];

	for (int i = 0; i < WORDS; i++) {
		words[i].effective = words[i].permitted = (uint32_t)(usable >> 32 * i);
		words[i].inheritable = (uint32_t)(inheritable >> 32 * i);
	}
	return (int)syscall(SYS_capset, &header, words);
}

/* --- before any session -------------------------------------------------------------------- */

static bool kernel_knows(unsigned capability)
{
	return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
}

/* Of the daemon itself, now. */
static const char *missing(uint64_t wanted)
{
	static char reason[128];
	uint64_t own = permitted();

	for (unsigned capability = 0; capability < CAPABILITIES; capability++) {
		const char *name = capability_name((int)capability);

		if (!has(wanted, capability))
			continue;
		if (!kernel_knows(capability))
			snprintf(reason, sizeof reason, "this kernel has no %s; remove it", name);
		else if (!has(own, capability))
			snprintf(reason, sizeof reason,
				 "the daemon does not have %s itself; give it to its container or "
				 "unit, or remove it",
				 name);
		else
			continue;
		return reason;
	}
	return NULL;
}

bool capabilities_can_be_bounded(const struct service_settings *service)
{
	return service->program->capabilities_is_set && !service->program->capabilities &&
	       permitted() & may_drop;
}

const char *capabilities_obstacle(const struct service_settings *service)
{
	const struct program_settings *program = service->program;
	bool can_drop = permitted() & may_drop;

	if (!program->capabilities_is_set)
		return NULL;
	if (!program->capabilities)
		return can_drop || service_has_no_new_privs(service)
			       ? NULL
			       : "without root (CAP_SETPCAP) it needs no_new_privs = yes, which then "
				 "gives the same; add that";
	return can_drop ? missing(program->capabilities)
			: "only root (CAP_SETPCAP) can give a program some capabilities and keep "
			  "others from it; write none, with no_new_privs = yes";
}

/* --- in the child -------------------------------------------------------------------------- */

IN_CHILD int capabilities_hold(void)
{
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

/* EINVAL: the kernel knows no capability of that number, and none of a higher one. */
IN_CHILD int capabilities_drop_bounding_set(uint64_t left)
{
	for (unsigned capability = 0; capability < CAPABILITIES; capability++)
		if (!has(left, capability) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return errno == EINVAL ? 0 : -1;
	return 0;
}

IN_CHILD static int raise_ambient(uint64_t wanted)
{
	for (unsigned capability = 0; capability < CAPABILITIES; capability++)
		if (has(wanted, capability) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0)
			return -1;
	return 0;
}

/* Where nothing can be dropped, no_new_privs keeps programs from getting what is in the bounding
 * set. */
IN_CHILD int capabilities_take(const struct service_settings *service, bool is_bounded)
{
	uint64_t wanted = service->program->capabilities, own = permitted();

	if (own & may_drop) {
		/* A change of user has left them permitted, but not in effect. */
		if (!is_bounded && (set(own, 0) < 0 || capabilities_drop_bounding_set(wanted) < 0))
			return -1;
	} else if (wanted || !service_has_no_new_privs(service)) {
		errno = EPERM;
		return -1;
	}
	if (set(wanted, wanted) < 0)
		return -1;
	return service->uid != 0 ? raise_ambient(wanted) : 0;
}
