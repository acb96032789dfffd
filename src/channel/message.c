#include "channel/message.h"

#define SIZE_WITH(member) (offsetof(struct message, member) + sizeof((struct message *)0)->member)
/* Only who is told that an address is in use gets the text about its holder. */
#define SIZE_OF_BIND (offsetof(struct message, bind) + offsetof(struct bind_message, holder))
/* Only who is told that a program was not started gets the texts that say why. */
#define SIZE_OF_PROGRAM (offsetof(struct message, program) + offsetof(struct program_message, step))
#define SIZE_OF_KIND sizeof(enum message_kind)

static const struct message_shape shapes[MESSAGE_KINDS] = {
	[MESSAGE_READY] = { SIZE_OF_KIND, 0, 0 },
	[MESSAGE_ADOPTED] = { SIZE_WITH(generation), 0, 0 },
	[MESSAGE_BIND] = { SIZE_OF_BIND, 0, 0 },
	[MESSAGE_UNBIND] = { SIZE_OF_BIND, 0, 0 },
	[MESSAGE_LAUNCH] = { SIZE_WITH(launch), 0, 3 },
	[MESSAGE_LAUNCH_PROXIED] = { SIZE_WITH(proxied_launch), 0, 3 },
	[MESSAGE_END] = { SIZE_WITH(end), 0, 0 },
	[MESSAGE_BAN] = { SIZE_WITH(ban), 0, 0 },
	[MESSAGE_OPEN_BANNER] = { SIZE_WITH(banner), 0, 0 },
	[MESSAGE_ASK_LIBWRAP] = { SIZE_WITH(libwrap), 0, 0 },
	[MESSAGE_FORGET_LIBWRAP] = { SIZE_WITH(libwrap), 0, 0 },
	[MESSAGE_LET_IN] = { SIZE_WITH(gate), 0, 0 },
	[MESSAGE_LET_OUT] = { SIZE_WITH(gate), 0, 0 },
	[MESSAGE_REPORTED] = { SIZE_WITH(report), 0, 0 },
	[MESSAGE_MEASURED] = { SIZE_WITH(measured), 0, 0 },
	[MESSAGE_RELOAD] = { SIZE_WITH(reload), 0, 0 },
	[MESSAGE_UNBAN] = { SIZE_WITH(ban), 0, 0 },
	[MESSAGE_PONG] = { SIZE_OF_KIND, 0, 0 },
	[MESSAGE_LOGGED] = { SIZE_WITH(logged), 0, 0 },

	[MESSAGE_START] = { SIZE_WITH(start), 0, 1 },
	[MESSAGE_GENERATION] = { SIZE_WITH(generation), 1, 1 },
	[MESSAGE_LOG] = { SIZE_WITH(generation), 1, 1 },
	[MESSAGE_ADOPT] = { SIZE_WITH(generation), 0, 0 },
	[MESSAGE_BOUND] = { SIZE_OF_BIND, 1, 2 },
	[MESSAGE_NOT_BOUND] = { SIZE_WITH(bind), 0, 0 },
	[MESSAGE_PROCESS] = { SIZE_OF_PROGRAM, 0, 0 },
	[MESSAGE_STARTED] = { SIZE_OF_PROGRAM, 0, 1 },
	[MESSAGE_NOT_STARTED] = { SIZE_WITH(program), 0, 0 },
	[MESSAGE_RELEASED] = { SIZE_OF_PROGRAM, 0, 0 },
	[MESSAGE_ENDED] = { SIZE_OF_PROGRAM, 0, 0 },
	[MESSAGE_SESSION] = { SIZE_OF_PROGRAM, 0, 1 },
	[MESSAGE_BANNED] = { SIZE_WITH(ban), 0, 0 },
	[MESSAGE_BANNER] = { SIZE_WITH(banner), 0, 1 },
	[MESSAGE_LIBWRAP] = { SIZE_WITH(libwrap), 0, 0 },
	[MESSAGE_GATE] = { SIZE_WITH(gate), 0, 0 },
	[MESSAGE_REPORT] = { SIZE_WITH(report), 1, 1 },
	[MESSAGE_MEASURE] = { SIZE_WITH(measured), 1, 1 },
	[MESSAGE_CONTROL] = { SIZE_WITH(control), 0, 1 },
	[MESSAGE_LOADED] = { SIZE_WITH(reload), 0, 1 },
	[MESSAGE_CHECK] = { SIZE_OF_KIND, 0, 0 },
	[MESSAGE_PING] = { SIZE_OF_KIND, 0, 0 },
	[MESSAGE_STOP] = { SIZE_WITH(stop), 0, 0 },
};

const struct message_shape *message_shape(unsigned kind)
{
	return kind < MESSAGE_KINDS ? &shapes[kind] : NULL;
}

bool message_address_is_sound(const struct address *address)
{
	if (address->length == 0)
		return true;
	if (address->length == sizeof address->in4)
		return address->any.sa_family == AF_INET;
	return address->length == sizeof address->in6 && address->any.sa_family == AF_INET6;
}
