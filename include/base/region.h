/* Memory that one process fills and another reads at the same address, so that
 * pointers into it hold in both. The addresses are set aside when each process
 * begins; a region is handed over as a descriptor. Loop thread only. */
#ifndef USHERD_BASE_REGION_H
#define USHERD_BASE_REGION_H

#include <stdbool.h>
#include <stddef.h>

enum { REGIONS = 4 }; /* that can be there at once */

/* One region. The fields may be read. */
struct region {
	int place;           /* which of the reserved ones, 0 to REGIONS - 1 */
	int fd;              /* a memfd, the region's own; -1: not there */
	size_t used;         /* bytes handed out */
	unsigned char *base; /* where it begins */
	bool failed;         /* something did not fit: what was built is not whole */
	unsigned users;      /* see region_keep */
	bool is_retired;
};

/* Sets the addresses aside: once, before anything else here. With address NULL at
 * a place that is likely to be free in another process too; otherwise just there,
 * where the other process has them. 0, or -1 with errno; EEXIST: something else is
 * there, as the kernel scatters what a process has. */
int regions_reserve(void *address) __attribute__((warn_unused_result));

/* Where that is. */
void *regions_address(void);

/* An empty region that can be filled. NULL with errno; EAGAIN: all are in use. */
struct region *region_new(void);

/* size bytes of zeros, aligned for anything. NULL, with region->failed set, when
 * there is no room. */
void *region_take(struct region *region, size_t size);

/* Nobody can change its bytes any more, through this mapping or the descriptor.
 * 0, or -1 with errno: the region is then unusable and must be freed. */
int region_seal(struct region *region) __attribute__((warn_unused_result));

/* In the other process: maps a sealed region of `used` bytes at that place, for
 * reading. Takes fd over. NULL with errno, fd then closed; EBUSY: there is one at
 * that place already, EINVAL: no such place, or fd is not what it should be. */
struct region *region_map(int place, int fd, size_t used);

/* The region that pointer points into; NULL: it is elsewhere. */
struct region *region_of(const void *pointer);

/* Counts one more, or one fewer, who uses what is in the region. */
void region_keep(struct region *region);
void region_release(struct region *region);

/* The region is freed as soon as nobody uses it. NULL is harmless. */
void region_retire(struct region *region);

/* Gives the place back at once. NULL is harmless. */
void region_free(struct region *region);

#endif
