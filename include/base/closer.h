/* Closes descriptors by threads: close(2) of the master of a terminal waits for whoever is reading
 * from its slave at that moment, and a hostile program can make that last, for example by reading
 * into memory that is mapped from a file system of its own. Loop thread only. */
#ifndef USHERD_BASE_CLOSER_H
#define USHERD_BASE_CLOSER_H

#include <stdint.h>

enum {
	CLOSERS_MAX = 8,          /* threads ... */
	CLOSERS_OF_OWNER_MAX = 2, /* ... of which one owner's descriptors have so many */
};

/* Closes fd soon, or at once when memory is short. -1 is harmless. Preserves errno. owner: any
 * number; the descriptors of one wait for each other, if it comes to that, and not for those of
 * others. */
void closer_close(int fd, uint64_t owner);

#endif
