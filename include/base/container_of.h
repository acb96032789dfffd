/* The struct of that type whose `member` pointer points to. */
#ifndef USHERD_BASE_CONTAINER_OF_H
#define USHERD_BASE_CONTAINER_OF_H

#include <stddef.h>

#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
