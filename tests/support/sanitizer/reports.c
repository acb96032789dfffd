/* In the daemon of `make SANITIZE=...`: where the tests say so, a sanitizer writes to
 * files, as what the daemon does with its standard error output must not lose a report. */
#include "frontend/fence.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int __real_fence_enter(const struct fence_user *user, const char **step);
int __wrap_fence_enter(const struct fence_user *user, const char **step);
int __real_seccomp_syscall_resolve_name(const char *name);
int __wrap_seccomp_syscall_resolve_name(const char *name);

/* gcc's UndefinedBehaviorSanitizer is a library apart, with a place of its own. */
static void *find_in_other_library(const char *name)
{
	void *library = dlopen("libubsan.so.1", RTLD_LAZY | RTLD_NOLOAD);

	return library ? dlsym(library, name) : NULL;
}

/* Each process has a file, which is made for its first report. */
__attribute__((constructor)) static void report_to_files(void)
{
	const char *path = getenv("SANITIZER_REPORTS");
	void (*set_other_path)(const char *) = find_in_other_library("__sanitizer_set_report_path");

	if (!path)
		return;
	__sanitizer_set_report_path(path);
	if (set_other_path)
		set_other_path(path);
}

static void report_to(int fd)
{
	void (*set_other_fd)(void *) = find_in_other_library("__sanitizer_set_report_fd");

	__sanitizer_set_report_fd((void *)(intptr_t)fd);
	if (set_other_fd) /* which at its first report closes the one above */
		set_other_fd((void *)(intptr_t)fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

/* The frontend can't make a file once it is behind the fence. */
int __wrap_fence_enter(const struct fence_user *user, const char **step)
{
	const char *directory = getenv("SANITIZER_REPORTS");
	char path[512];
	int fd;

	snprintf(path, sizeof path, "%s.frontend", directory ? directory : "");
	fd = directory ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
	if (fd >= 0)
		report_to(fd);
	return __real_fence_enter(user, step);
}

/* The fence lets ptrace(2) pass, by which LeakSanitizer looks at the threads. */
int __wrap_seccomp_syscall_resolve_name(const char *name)
{
	return strcmp(name, "ptrace") == 0 ? __NR_SCMP_ERROR
					   : __real_seccomp_syscall_resolve_name(name);
}
