/* A reload: reads the files, sends the new generation to the frontend, and waits until it is in
 * force there. One at a time; the next one waits. Loop thread only. */
#ifndef USHERD_MONITOR_RELOAD_H
#define USHERD_MONITOR_RELOAD_H

#include "channel/message.h"
#include "config/generation.h"
#include "monitor/options.h"

#include <stdbool.h>
#include <stdint.h>

/* How long after a reload that the frontend asked for the next one of these begins. */
enum { RELOADS_APART_MS = 200 };

/* Before the first frontend. started is called once, when the generation that was loaded is in
 * force; banned for each ban that is new because a reload names another ban_file. */
void reload_init(const struct monitor_options *options,
		 void (*started)(uint32_t bound, uint32_t wanted),
		 void (*banned)(const struct address *address, uint64_t until, void *context));

/* True until started is called. */
bool reload_is_first(void);

/* Begins one, now or when the pending one is over. */
void reload_begin(void);

/* MESSAGE_RELOAD and MESSAGE_ADOPTED. */
void reload_ask(const struct message *message);
void reload_adopted(const struct message *message);

/* Sends the newest generation to a new frontend. */
void reload_resend(void);

/* The generation that is on its way, or the one in force. */
const struct generation *reload_newest(void);

/* True when the message with this number was sent before the newest generation arrived. */
bool reload_is_stale(struct service_number number);

/* The service's number in the newest generation, or SERVICE_IS_NEW. A launch from before a reload
 * counts for the service that continues the old one. */
uint32_t reload_number_now(struct service_number number);

#endif
