/* The services behind tcpmux: those of type TCPMUX and TCPMUXPLUS and no others,
 * as a service that is not meant to be reached there has its address and port to
 * guard it. */
#ifndef USHERD_FRONTEND_MULTIPLEX_H
#define USHERD_FRONTEND_MULTIPLEX_H

/* Lets the tcpmux handler find them. */
void multiplex_init(void);

#endif
