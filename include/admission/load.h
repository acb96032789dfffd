/* The one-minute load average, for max_load. */
#ifndef USHERD_ADMISSION_LOAD_H
#define USHERD_ADMISSION_LOAD_H

#include <stdbool.h>

/* True when the load is at or above most; false also when it is not known. */
bool load_is_excessive(double most);

#endif
