/* Ties what happens to listeners (struct listener_events) to who deals with it. */
#ifndef USHERD_FRONTEND_DISPATCH_H
#define USHERD_FRONTEND_DISPATCH_H

/* Before there is a service. */
void dispatch_init(void);

#endif
