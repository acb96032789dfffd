/* A program that was written for a terminal: stdio decides when its output leaves. With an
 * argument it reads its input into memory that nobody provides, and so never finishes. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ask_name(void)
{
	char name[64];

	printf("name: ");
	if (!fgets(name, sizeof name, stdin))
		return 1;
	printf("hello %s", name);
	printf("more: ");
	return fgets(name, sizeof name, stdin) ? 0 : 2;
}

static void *missing_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .range = { (unsigned long)memory, size },
					 .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (memory == MAP_FAILED || fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 ||
	    ioctl(fd, UFFDIO_REGISTER, &range) < 0)
		return NULL;
	return memory;
}

static int never_finish(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *memory = missing_memory(size);

	signal(SIGHUP, SIG_IGN);
	puts(memory ? "ready" : "can't");
	fflush(stdout);
	return memory && read(0, memory, size) >= 0 ? 0 : 1;
}

int main(int count, char **arguments)
{
	(void)arguments;
	return count > 1 ? never_finish() : ask_name();
}
