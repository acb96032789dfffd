/* Binds a TCP connection to its client for good.
 *
 * A session without a network still has its connection, which is a socket of the host's
 * network. connect(2) with AF_UNSPEC takes it from its client, and a second one would lead to
 * any address that the host reaches, its loopback too. So it gets a filter, which the program
 * can't remove (SO_LOCK_FILTER in socket(7)): only packets from the client's address and port to
 * the own port come in. A connection to anybody else is never established.
 *
 * Such a socket could still send the packets that begin a connection, and hold a port of the
 * host. Where Landlock (Linux 6.7) and no_new_privs are there, bind(2) and connect(2) of TCP are
 * refused too.
 *
 * Kernels may take such a filter only from who has CAP_NET_ADMIN. Without it the program loses
 * the right to bind and connect by TCP, by Landlock, and that to listen and to send with
 * MSG_FASTOPEN, which connects too, by seccomp. An older kernel refuses connect(2) itself. */
#ifndef USHERD_MONITOR_CONNECTION_LOCK_H
#define USHERD_MONITOR_CONNECTION_LOCK_H

/* For connections of TCP; harmless on one that it has locked, and on what is no socket of the
 * internet, as a terminal. One that its client has left already gets no packet at all. 0, or
 * -1 with errno: EPROTONOSUPPORT for other protocols, EPERM also when it has a lock of somebody
 * else. Any thread. */
int connection_lock(int connection) __attribute__((warn_unused_result));

/* In place of that, where it fails with EPERM: in the child, when it has made its mounts and
 * before it gives up its rights. It needs no_new_privs, or CAP_SYS_ADMIN in its user namespace.
 * 0, or -1 with errno. */
int connection_lock_process(void) __attribute__((warn_unused_result));

/* Besides it, in a child with no_new_privs: what Landlock can do here, which may be nothing. 0, or
 * -1 with errno. */
int connection_lock_ports(void) __attribute__((warn_unused_result));

/* Why neither is possible here, and what to do; NULL: one of them is. */
const char *connection_lock_obstacle(void);

#endif
