#include "base/region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Addresses cost nothing until they are used. */
static const size_t region_size = sizeof(void *) > 4 ? (size_t)1 << 30 : (size_t)64 << 20;

static unsigned char *reserved;
static struct region regions[REGIONS];

/* Reserves addresses without access. */
static void *set_aside(void *address, size_t size)
{
	return mmap(address, size, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (address ? MAP_FIXED : 0), -1, 0);
}

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* Kernels without MAP_FIXED_NOREPLACE treat the address as a hint. */
static void *reserve_at(void *address)
{
	void *start =
		mmap(address, REGIONS * region_size, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	if (start == address || start == MAP_FAILED)
		return start;
	munmap(start, REGIONS * region_size);
	errno = EEXIST;
	return MAP_FAILED;
}

#ifdef __SANITIZE_THREAD__
/* ThreadSanitizer leaves few addresses to a program. Nothing else uses this one. */
static void *reserve_anywhere(void)
{
	return reserve_at((void *)0x1000000000);
}
#else
/* Below the addresses that the kernel uses, by more than its randomization. */
static void *reserve_anywhere(void)
{
	const size_t scatter = sizeof(void *) > 4 ? (size_t)1 << 41 : 0;
	unsigned char *start = set_aside(NULL, REGIONS * region_size);
	void *lower;

	if (start == MAP_FAILED || (uintptr_t)start < 2 * scatter)
		return start;
	lower = reserve_at(start - scatter);
	if (lower == MAP_FAILED)
		return start;
	munmap(start, REGIONS * region_size);
	return lower;
}
#endif

int regions_reserve(void *address)
{
	void *start = address ? reserve_at(address) : reserve_anywhere();

	if (start == MAP_FAILED)
		return -1;
	reserved = start;
	for (int place = 0; place < REGIONS; place++)
		regions[place] = (struct region){
			.place = place,
			.fd = -1,
			.base = reserved + (size_t)place * region_size,
		};
	return 0;
}

void *regions_address(void)
{
	return reserved;
}

static size_t whole_pages(size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (size + page - 1) / page * page;
}

static struct region *find_free(void)
{
	for (int place = 0; reserved && place < REGIONS; place++)
		if (regions[place].fd < 0)
			return &regions[place];
	errno = EAGAIN;
	return NULL;
}

bool regions_have_room(void)
{
	return find_free() != NULL;
}

static int map(struct region *region, size_t size, int protection, int sharing)
{
	void *address = mmap(region->base, size, protection, sharing | MAP_FIXED, region->fd, 0);

	return address == MAP_FAILED ? -1 : 0;
}

/* A process that another thread forks meanwhile does not get the mapping: while it had
 * one the region could not be sealed. */
static int map_to_fill(struct region *region)
{
	if (map(region, region_size, PROT_READ | PROT_WRITE, MAP_SHARED) < 0)
		return -1;
	return madvise(region->base, region_size, MADV_DONTFORK);
}

struct region *region_new(void)
{
	struct region *region = find_free();

	if (!region)
		return NULL;
	*region = (struct region){ .place = region->place, .fd = -1, .base = region->base };
	region->fd = memfd_create("usherd", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (region->fd < 0)
		return NULL;
	if (ftruncate(region->fd, (off_t)region_size) == 0 && map_to_fill(region) == 0)
		return region;
	region_free(region);
	return NULL;
}

/* alignment is a power of two. */
static void *take(struct region *region, size_t size, size_t alignment)
{
	size_t start = (region->used + alignment - 1) & ~(alignment - 1);

	if (start > region_size || size > region_size - start) {
		region->failed = true;
		return NULL;
	}
	region->used = start + size;
	return region->base + start;
}

void *region_take(struct region *region, size_t size)
{
	return take(region, size, alignof(max_align_t));
}

void *region_take_bytes(struct region *region, size_t size)
{
	return take(region, size, 1);
}

/* Read-only and private: a shared mapping of a writable descriptor would prevent the seal
 * (fcntl(2), F_SEAL_WRITE). The pages are still those of the file. */
static int map_sealed(struct region *region)
{
	if (set_aside(region->base, region_size) == MAP_FAILED)
		return -1;
	return region->used == 0 ? 0 : map(region, region->used, PROT_READ, MAP_PRIVATE);
}

int region_seal(struct region *region)
{
	static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

	if (ftruncate(region->fd, (off_t)whole_pages(region->used)) < 0 ||
	    set_aside(region->base, region_size) == MAP_FAILED ||
	    fcntl(region->fd, F_ADD_SEALS, seals) < 0)
		return -1;
	return map_sealed(region);
}

static bool is_sealed(int fd, size_t used)
{
	struct stat status;
	int seals = fcntl(fd, F_GET_SEALS);

	return used <= region_size && seals >= 0 && (seals & F_SEAL_WRITE) &&
	       (seals & F_SEAL_SHRINK) && fstat(fd, &status) == 0 && (size_t)status.st_size >= used;
}

struct region *region_map(int place, int fd, size_t used)
{
	struct region *region = reserved && place >= 0 && place < REGIONS ? &regions[place] : NULL;

	errno = region && region->fd >= 0 ? EBUSY : EINVAL;
	if (!region || region->fd >= 0 || !is_sealed(fd, used)) {
		int error = errno;

		close(fd);
		errno = error;
		return NULL;
	}
	*region = (struct region){
		.place = place,
		.fd = fd,
		.base = region->base,
		.used = used,
	};
	if (map_sealed(region) == 0)
		return region;
	region_free(region);
	return NULL;
}

struct region *region_of(const void *pointer)
{
	uintptr_t address = (uintptr_t)pointer, start = (uintptr_t)reserved;

	if (!reserved || address < start || address - start >= REGIONS * region_size)
		return NULL;
	return &regions[(address - start) / region_size];
}

void region_keep(struct region *region)
{
	region->users++;
}

static void free_if_unused(struct region *region)
{
	if (region->is_retired && region->users == 0)
		region_free(region);
}

void region_release(struct region *region)
{
	region->users--;
	free_if_unused(region);
}

void region_retire(struct region *region)
{
	if (!region)
		return;
	region->is_retired = true;
	free_if_unused(region);
}

void region_free(struct region *region)
{
	int error = errno;

	if (!region || region->fd < 0)
		return;
	set_aside(region->base, region_size);
	close(region->fd);
	region->fd = -1;
	errno = error;
}
