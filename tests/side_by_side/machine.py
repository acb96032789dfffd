"""What the tests see and take of the machine: processes, sockets, ports."""
import ctypes
import glob
import grp
import os
import pathlib
import pwd
import random
import re
import select
import signal
import socket
import time

HOST = "127.0.0.1"

# What is waited for comes soon or not at all; machines may be slow, though.
DEADLINE_SECONDS = 20
STEP_SECONDS = 0.002

# Of <sys/prctl.h>.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

libc = ctypes.CDLL(None, use_errno=True)


class Trouble(Exception):
    """A step could not be done, or what it waits for did not come."""


class Skipped(Exception):
    """The machine lacks what the scenario needs."""


def eventually(condition, what, seconds=DEADLINE_SECONDS):
    """Waits until condition() is true, and returns it."""
    due = time.monotonic() + seconds
    while True:
        outcome = condition()
        if outcome:
            return outcome
        if time.monotonic() > due:
            raise Trouble(f"waited in vain for {what}")
        select.select([], [], [], STEP_SECONDS)


def adopt_orphans():
    """Lets servers that a daemon leaves behind become children of this process."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def is_frontend(pid):
    """usherd's own second process, which serves as long as the first one."""
    return text_of(f"/proc/{pid}/comm").strip() == "usherd-frontend"


def children(parent):
    """The pids of the children of the process parent, zombies too, but no frontend."""
    found = []
    for path in glob.glob(f"/proc/{parent}/task/*/children"):
        found += [pid for pid in map(int, text_of(path).split()) if not is_frontend(pid)]
    return found


def end_orphans():
    for pid in children(os.getpid()):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def user_with_groups():
    """Somebody who is in more than one group, if there is such a user."""
    users = {user.pw_name: user.pw_gid for user in pwd.getpwall()}
    for group in grp.getgrall():
        for name in group.gr_mem:
            if users.get(name, group.gr_gid) != group.gr_gid:
                return name
    return "daemon"


def text_of(path):
    try:
        return pathlib.Path(path).read_text(errors="backslashreplace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def listened(ports):
    """The sockets that somebody listens on, of those with these ports."""
    found = []
    for protocol, listening in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        with open(f"/proc/net/{protocol}") as table:
            next(table)
            for line in table:
                words = line.split()
                if words[3] == listening:
                    address, _, port = words[1].rpartition(":")
                    if int(port, 16) in ports:
                        found.append((protocol, address, int(port, 16)))
                elif protocol.startswith("tcp"):
                    break  # the kernel lists those that listen before all others
    return found


def is_free_for_datagrams(port):
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as datagrams:
        try:
            datagrams.bind(("::", port))
            return True
        except OSError:
            return False


class Ports:
    """Free ports by name, of those that the kernel gives to no client. A socket that
    does not listen keeps others away from each, and lets a daemon bind beside it."""

    def __init__(self):
        self.keepers = []
        self.by_name = {}
        first_of_clients = int(text_of("/proc/sys/net/ipv4/ip_local_port_range").split()[0])
        self.range = range(10000, first_of_clients if first_of_clients > 11000 else 65536)

    def __getitem__(self, name):
        while name not in self.by_name:
            port = random.choice(self.range)
            if is_free_for_datagrams(port) and self.keep(port):
                self.by_name[name] = port
        return self.by_name[name]

    def keep(self, port):
        keeper = socket.socket(socket.AF_INET6)
        self.keepers.append(keeper)
        try:
            keeper.bind(("::", port))
        except OSError:
            return False
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return True

    def listed(self, name):
        """The name of a service that the machine's port map has on a free port, which
        is called name from then on."""
        for line in text_of("/etc/services").splitlines():
            entry = re.match(r"([\w-]+)\s+(\d{4,5})/tcp\b", line)
            if not entry:
                continue
            port = int(entry.group(2))
            if self.by_name.get(name) == port:
                return entry.group(1)
            if name not in self.by_name and port not in self.by_name.values() \
                    and not listened({port}):
                self.by_name[name] = port
                return entry.group(1)
        raise Skipped("no service of /etc/services has a free port")

    def name_of(self, port):
        return next(name for name, taken in self.by_name.items() if taken == port)

    def close(self):
        for keeper in self.keepers:
            keeper.close()
