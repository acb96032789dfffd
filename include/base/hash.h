/* uthash that does not exit when memory runs out: after HASH_ADD the handle's tbl
 * is NULL when the element could not be added. */
#ifndef USHERD_BASE_HASH_H
#define USHERD_BASE_HASH_H

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#endif
