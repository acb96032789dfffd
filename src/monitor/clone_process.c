#include "monitor/clone_process.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ThreadSanitizer takes the actions of a vfork-like child for races. */
#ifdef __SANITIZE_THREAD__
extern int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...);
#define CLONE __clone
#else
#define CLONE clone
#endif

/* clone3(2) into a cgroup, by number, as the C library has no function for it. The child runs
 * child_main on its own stack, which nothing but this knows how to begin. */
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

struct clone3_arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	uint64_t set_tid, set_tid_size, cgroup;
};

#if defined __x86_64__

static long clone3_running(const struct clone3_arguments *arguments, int (*run)(void *),
			   void *argument)
{
	register int (*function)(void *) __asm__("rdx") = run;
	register void *its_argument __asm__("r8") = argument;
	long result = SYS_clone3;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r8, %%rdi\n\t"
			 "call *%%rdx\n\t"
			 "hlt\n"
			 "1:"
			 : "+a"(result)
			 : "D"(arguments), "S"(sizeof *arguments), "r"(function), "r"(its_argument)
			 : "rcx", "r11", "memory");
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

#elif defined __aarch64__

static long clone3_running(const struct clone3_arguments *arguments, int (*run)(void *),
			   void *argument)
{
	register long number __asm__("x8") = SYS_clone3;
	register long result __asm__("x0") = (long)arguments;
	register size_t size __asm__("x1") = sizeof *arguments;
	register int (*function)(void *) __asm__("x2") = run;
	register void *its_argument __asm__("x3") = argument;

	__asm__ volatile("svc #0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x0, x3\n\t"
			 "blr x2\n\t"
			 "brk #0\n"
			 "1:"
			 : "+r"(result)
			 : "r"(number), "r"(size), "r"(function), "r"(its_argument)
			 : "memory");
	if (result >= 0)
		return result;
	errno = (int)-result;
	return -1;
}

#else

static long clone3_running(const struct clone3_arguments *arguments, int (*run)(void *),
			   void *argument)
{
	(void)arguments;
	(void)run;
	(void)argument;
	errno = ENOSYS;
	return -1;
}

#endif

long clone_process_into(const struct clone_order *order, int cgroup)
{
	const struct clone3_arguments arguments = {
		.flags =
			((uint64_t)(unsigned)order->flags & ~(uint64_t)CSIGNAL) | CLONE_INTO_CGROUP,
		.parent_tid = (uint64_t)(uintptr_t)order->pid,
		.exit_signal = (uint64_t)order->flags & CSIGNAL,
		.stack = (uint64_t)(uintptr_t)order->stack,
		.stack_size = order->stack_size,
		.cgroup = (uint64_t)cgroup,
	};

	return clone3_running(&arguments, order->run, order->argument);
}

long clone_process(const struct clone_order *order)
{
	return CLONE(order->run, order->stack + order->stack_size, order->flags, order->argument,
		     order->pid);
}
