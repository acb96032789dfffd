/* uthash, where want of memory is no reason to exit: after HASH_ADD the handle's tbl
 * is NULL when the element could not be added. */
#ifndef USHERD_BASE_HASH_H
#define USHERD_BASE_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#endif
