/* Access lists as a classic BPF program, for sockets that a server reads itself
 * (INTERCEPT): the kernel runs it for each datagram. Pure. */
#ifndef USHERD_ADMISSION_PACKET_FILTER_H
#define USHERD_ADMISSION_PACKET_FILTER_H

#include "config/access_list.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

/* What the program returns: which socket of a group (SO_ATTACH_REUSEPORT_CBPF,
 * socket(7)) gets the datagram, in the order of binding. The first one is for refused
 * datagrams, because the kernel uses it if the program fails. */
enum { FILTER_REFUSES = 0, FILTER_ADMITS = 1 };

/* Writes a program that decides by the source address as access_decide does.
 * Returns its length, at most `most` (the kernel takes BPF_MAXINSNS), or 0 when it
 * would be longer or a rule has a name, which no filter can look up. */
size_t packet_filter_build(const struct access_list *only_from, const struct access_list *no_access,
			   struct sock_filter *program, size_t most);

/* True when a filter can have every rule of the lists. */
bool packet_filter_can_keep(const struct access_list *only_from,
			    const struct access_list *no_access);

#endif
