/* Returns free memory of this process to the system. */
#ifndef USHERD_BASE_MEMORY_H
#define USHERD_BASE_MEMORY_H

/* Returns what malloc keeps for later to the kernel: after work that needs much memory
 * only for a moment. Does nothing where the C library can't. */
void memory_give_back(void);

#endif
