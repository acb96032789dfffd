/* Memory that one process fills and another reads at the same address, so that
 * pointers into it are valid in both. Each process reserves the addresses at its
 * start; a region is passed as a descriptor. Loop thread only. */
#ifndef USHERD_BASE_REGION_H
#define USHERD_BASE_REGION_H

#include <stdbool.h>
#include <stddef.h>

enum { REGIONS = 4 }; /* at most at once */

/* One region. The fields may be read. */
struct region {
	int place;           /* which of the reserved ones, 0 to REGIONS - 1 */
	int fd;              /* a memfd, the region's own; -1: not in use */
	size_t used;         /* bytes taken */
	unsigned char *base; /* where it begins */
	bool failed;         /* something did not fit: what was built is incomplete */
	unsigned users;      /* see region_keep */
	bool is_retired;
};

/* Reserves the addresses: once, before anything else here. With address NULL at a
 * place that is likely to be free in another process too; otherwise exactly there,
 * where the other process has them. 0, or -1 with errno; EEXIST: something else is
 * there, because of address space randomization. */
int regions_reserve(void *address) __attribute__((warn_unused_result));

/* Where that is. */
void *regions_address(void);

/* True when region_new finds one that is not in use. */
bool regions_have_room(void);

/* An empty region that can be filled. NULL with errno; EAGAIN: all are in use. */
struct region *region_new(void);

/* size bytes of zeros, aligned for anything. NULL, with region->failed set, when
 * there is no room. */
void *region_take(struct region *region, size_t size);

/* The same for bytes that need no alignment. */
void *region_take_bytes(struct region *region, size_t size);

/* Makes its bytes read-only for ever, through this mapping and the descriptor.
 * 0, or -1 with errno: the region is then unusable and must be freed. */
int region_seal(struct region *region) __attribute__((warn_unused_result));

/* In the other process: maps a sealed region of `used` bytes at that place, for
 * reading. Takes fd over. NULL with errno, and fd closed; EBUSY: the place is in use,
 * EINVAL: no such place, or fd is not a sealed region of that size. */
struct region *region_map(int place, int fd, size_t used);

/* The region that pointer points into; NULL: none. */
struct region *region_of(const void *pointer);

/* Adds or removes one user of the region. */
void region_keep(struct region *region);
void region_release(struct region *region);

/* Frees the region as soon as it has no users. NULL is harmless. */
void region_retire(struct region *region);

/* Frees it at once. NULL is harmless. */
void region_free(struct region *region);

#endif
