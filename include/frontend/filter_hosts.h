/* INTERCEPT of datagrams with host names: the kernel's filter knows only addresses, so
 * the names in a service's lists are looked up when its settings are loaded, and again
 * from time to time. Loop thread only. */
#ifndef USHERD_FRONTEND_FILTER_HOSTS_H
#define USHERD_FRONTEND_FILTER_HOSTS_H

#include "config/access_list.h"

#include <stdbool.h>

struct service_settings;
struct filter_hosts;

/* The addresses of a name have changed. */
typedef void filter_hosts_changed(void *context);

/* Begins to look up the names in the lists of settings, which must outlive it. NULL when
 * there are none, or memory runs out: names then match nobody. */
struct filter_hosts *filter_hosts_new(const struct service_settings *settings,
				      filter_hosts_changed *changed, void *context);

/* Copies the addresses of equal names from old. Either may be NULL, here and below. */
void filter_hosts_inherit(struct filter_hosts *hosts, const struct filter_hosts *old);

void filter_hosts_free(struct filter_hosts *hosts);

/* The list with names replaced by their known addresses. Its rules are the caller's to
 * free(3), their texts are the list's; rules NULL with errno ENOMEM. */
struct access_list filter_hosts_resolve(const struct filter_hosts *hosts,
					const struct access_list *list);

/* True while a name is looked up for the first time. */
bool filter_hosts_are_new(const struct filter_hosts *hosts);

#endif
