/* Admission decisions that need nothing but memory: nothing here waits, looks anything
 * up, or talks to the peer. */
#ifndef USHERD_FRONTEND_JUDGE_H
#define USHERD_FRONTEND_JUDGE_H

#include "frontend/service.h"

struct sensor_list;

/* process_limit: -limit, 0 for none. Returns 0, or -1 with errno. */
int judge_init(unsigned process_limit) __attribute__((warn_unused_result));

/* Decides about peer by the settings' address lists and the sensors' bans; names as in
 * access_decide. */
struct access_result judge_address(const struct service_settings *settings,
				   const struct address *peer, const char *const *names);

/* True while a sensor's ban of peer lasts. */
bool judge_bans(const struct address *peer);

/* True when the address lists still admit a peer whose session runs. */
bool judge_still_admits(const struct service_settings *settings, const struct address *peer);

/* Decides by rates, load, time and limits. Takes the tokens for the connection, and
 * suspends or throttles the service if cps_action says so. */
enum verdict judge_limits(struct service *service, const struct address *peer);

/* peer touched a sensor with these settings: bans it for deny_time, if it bans at all. */
void judge_ban(const struct service_settings *settings, const struct address *peer);

/* An earlier frontend banned the address until then. */
void judge_know_ban(const struct address *address, uint64_t until);

/* The addresses that are banned. */
struct sensor_list *judge_sensor_list(void);

#endif
