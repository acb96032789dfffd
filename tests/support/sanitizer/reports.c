/* In the daemon of `make SANITIZE=...`: if the tests ask for it, sanitizers write to files, as
 * reports on the daemon's standard error could be lost. */
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

/* gcc's UndefinedBehaviorSanitizer is another library, with a path of its own. */
static void *find_in_other_library(const char *name)
{
	void *library = dlopen("libubsan.so.1", RTLD_LAZY | RTLD_NOLOAD);

	return library ? dlsym(library, name) : NULL;
}

/* Each process creates a file at its first report. */
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
	if (set_other_fd) /* at its first report it closes the one above */
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

/* The fence allows ptrace(2), which LeakSanitizer needs to look at the threads. */
int __wrap_seccomp_syscall_resolve_name(const char *name)
{
	return strcmp(name, "ptrace") == 0 ? __NR_SCMP_ERROR
					   : __real_seccomp_syscall_resolve_name(name);
}
