#include "base/region.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void setup(void)
{
	ck_assert_int_eq(regions_reserve(NULL), 0);
}

START_TEST(gives_zeroed_aligned_memory)
{
	struct region *region = region_new();
	static const unsigned char zeros[100];

	ck_assert_ptr_nonnull(region);
	for (size_t size = 1; size < sizeof zeros; size++) {
		unsigned char *memory = region_take(region, size);

		ck_assert_uint_eq((uintptr_t)memory % alignof(max_align_t), 0);
		ck_assert_int_eq(memcmp(memory, zeros, size), 0);
		memset(memory, 0xff, size);
	}
	ck_assert(!region->failed);
	region_free(region);
}
END_TEST

START_TEST(says_when_something_does_not_fit)
{
	struct region *region = region_new();

	ck_assert_ptr_null(region_take(region, SIZE_MAX));
	ck_assert(region->failed);
	region_free(region);
}
END_TEST

START_TEST(gives_places_until_there_are_none)
{
	struct region *regions[REGIONS];

	for (int i = 0; i < REGIONS; i++)
		ck_assert_ptr_nonnull(regions[i] = region_new());
	ck_assert_ptr_null(region_new());
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert(!regions_have_room());
	region_free(regions[1]);
	ck_assert(regions_have_room());
	ck_assert_ptr_eq(region_new(), regions[1]);
}
END_TEST

/* A text of the given size in a sealed region, found at region->base. */
static struct region *sealed_text(const char *text)
{
	struct region *region = region_new();
	char **pointer = region_take(region, sizeof *pointer);

	*pointer = region_take(region, strlen(text) + 1);
	strcpy(*pointer, text);
	ck_assert_int_eq(region_seal(region), 0);
	return region;
}

START_TEST(keeps_what_was_sealed)
{
	struct region *region = sealed_text("it stays");

	ck_assert_str_eq(*(char **)(void *)region->base, "it stays");
	region_free(region);
}
END_TEST

START_TEST(is_sealed_while_a_process_lives_that_was_forked_before)
{
	struct region *region = region_new();
	int ends[2], status;
	char byte;
	pid_t child;

	ck_assert_ptr_nonnull(region_take(region, 1));
	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	ck_assert_msg(region_seal(region) == 0, "%s", strerror(errno));
	close(ends[1]);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	region_free(region);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* it handles the signal itself */
START_TEST(cannot_be_written_once_sealed)
{
	struct region *region = sealed_text("it stays");

	ck_assert(write(region->fd, "x", 1) < 0);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_ptr_eq(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, region->fd, 0), MAP_FAILED);
	ck_assert(ftruncate(region->fd, 0) < 0);
	region->base[0] = 1; /* a fault: the test expects the signal */
}
END_TEST
#endif

/* Sends the region to a process that was forked before it was made. */
static void hand_over(int socket, const struct region *region)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	struct region copy = *region;
	struct iovec vector = { &copy, sizeof copy };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof control };

	memcpy(CMSG_DATA(&control.header), &region->fd, sizeof(int));
	ck_assert_int_eq(sendmsg(socket, &message, 0), sizeof copy);
}

static int read_elsewhere(int socket)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct region sent, *region;
	struct iovec vector = { &sent, sizeof sent };
	struct msghdr message = { .msg_iov = &vector,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof control };
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != sizeof sent)
		return 1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
	region = region_map(sent.place, fd, sent.used);
	if (!region || region->base != sent.base)
		return 2;
	return strcmp(*(char **)(void *)region->base, "for both") == 0 ? 0 : 3;
}

START_TEST(is_at_the_same_address_in_another_process)
{
	int ends[2], status;
	pid_t child;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	child = fork();
	if (child == 0)
		_exit(read_elsewhere(ends[1]));
	hand_over(ends[0], sealed_text("for both"));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(maps_only_what_is_sealed_and_large_enough)
{
	struct region *sealed = sealed_text("x"), *open = region_new();
	int place = REGIONS - 1;

	ck_assert_ptr_null(region_map(place, dup(open->fd), 1));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(region_map(place, dup(sealed->fd), 1 << 20));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(region_map(REGIONS, dup(sealed->fd), 1));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(region_map(-1, dup(sealed->fd), 1));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(region_map(sealed->place, dup(sealed->fd), 1));
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_ptr_nonnull(region_map(place, dup(sealed->fd), sealed->used));
}
END_TEST

START_TEST(reserves_just_the_addresses_that_are_asked_for)
{
	void *address = regions_address();
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(regions_reserve(address) == -1 && errno == EEXIST ? 0 : 1);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	munmap(address, (size_t)REGIONS << 30);
	ck_assert_int_eq(regions_reserve(address), 0);
	ck_assert_ptr_eq(regions_address(), address);
	ck_assert_ptr_nonnull(region_new());
}
END_TEST

Suite *region_suite(void)
{
	Suite *suite = suite_create("region");
	TCase *tests = tcase_create("region");

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, gives_zeroed_aligned_memory);
	tcase_add_test(tests, says_when_something_does_not_fit);
	tcase_add_test(tests, gives_places_until_there_are_none);
	tcase_add_test(tests, keeps_what_was_sealed);
	tcase_add_test(tests, is_sealed_while_a_process_lives_that_was_forked_before);
#ifndef __SANITIZE_ADDRESS__
	tcase_add_test_raise_signal(tests, cannot_be_written_once_sealed, SIGSEGV);
#endif
	tcase_add_test(tests, is_at_the_same_address_in_another_process);
	tcase_add_test(tests, maps_only_what_is_sealed_and_large_enough);
	tcase_add_test(tests, reserves_just_the_addresses_that_are_asked_for);
	suite_add_tcase(suite, tests);
	return suite;
}
