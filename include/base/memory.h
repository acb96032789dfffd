/* Memory that is free in this process, for the other processes of the machine. */
#ifndef USHERD_BASE_MEMORY_H
#define USHERD_BASE_MEMORY_H

/* Gives what malloc keeps for later back to the kernel: after work that takes much
 * more for a moment than it leaves behind. Where the C library can't, nothing. */
void memory_give_back(void);

#endif
