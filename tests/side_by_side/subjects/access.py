"""Who may come: only_from, no_access and access_times."""
import time

import masks
from scenario import Scenario
from steps import ask, datagram
from texts import LOGGED, built_in, built_in_datagrams, service


def hello(name, *lines):
    return service(name, "server = /bin/echo", "server_args = hello", *lines)


def visits(name, *sources):
    return [ask(name, source=source, half_close=False) for source in sources]


def lists(name, *lines, sources, conf=LOGGED, **how):
    """A scenario of one service that visitors come to, some of them in vain."""
    return Scenario(name, conf + hello("door", *lines), visits("door", *sources),
                    masks=how.pop("masks", [masks.refused_before_start]), **how)


def outside_now():
    """An interval that is not now, and will not be in a while."""
    return "2:00-3:30" if time.localtime().tm_hour >= 12 else "20:00-21:30"


NEAR = ("127.0.0.1", "127.0.0.5", "127.0.0.6", "127.0.0.7")

SCENARIOS = [
    lists("only_from: addresses", "only_from = 127.0.0.5 127.0.0.7", sources=NEAR),
    lists("only_from: one after the other", "only_from = 127.0.0.5", "only_from += 127.0.0.7",
          sources=NEAR),
    lists("only_from: taken back", "only_from = 127.0.0.5 127.0.0.7", "only_from -= 127.0.0.7",
          sources=NEAR),
    lists("only_from: nobody", "only_from =", sources=("127.0.0.1",)),
    lists("only_from: a trailing zero", "only_from = 127.9.1.0",
          sources=("127.9.1.1", "127.9.1.200", "127.9.2.1")),
    lists("only_from: trailing zeros", "only_from = 127.9.0.0",
          sources=("127.9.1.1", "127.9.77.200", "127.8.0.1")),
    lists("only_from: everybody", "only_from = 0.0.0.0", sources=("127.0.0.1", "127.9.9.9"),
          masks=[]),
    lists("only_from: factorized", "only_from = 127.0.0.{5,16}",
          sources=("127.0.0.5", "127.0.0.16", "127.0.0.6", "127.0.0.1")),
    lists("only_from: a prefix", "only_from = 127.0.0.8/30",
          sources=("127.0.0.8", "127.0.0.11", "127.0.0.7", "127.0.0.12")),
    lists("only_from: a prefix with bits behind it", "only_from = 127.0.5.77/23",
          sources=("127.0.4.1", "127.0.5.200", "127.0.6.1")),
    lists("only_from: everybody, as a prefix", "only_from = 0.0.0.0/0",
          sources=("127.0.0.1", "127.9.9.9"), masks=[]),
    lists("only_from on a socket of IPv4 alone", "only_from = 127.0.0.5", "flags = IPv4",
          sources=("127.0.0.5", "127.0.0.6")),
    lists("only_from: a mapped address", "only_from = ::ffff:127.0.0.5",
          sources=("127.0.0.5", "127.0.0.6")),
    lists("only_from: the name of this host", "only_from = localhost", "flags = IPv4",
          sources=("127.0.0.1",), masks=[]),
    lists("no_access", "no_access = 127.0.0.5 127.0.0.6", sources=NEAR),
    lists("no_access: taken back", "no_access = 127.0.0.5 127.0.0.6", "no_access -= 127.0.0.6",
          sources=NEAR),
    lists("both lists, apart", "only_from = 127.0.0.0/24", "no_access = 127.0.1.0",
          sources=("127.0.0.1", "127.0.1.1", "127.0.2.1")),
    lists("both lists, equally", "only_from = 127.0.0.0/24", "no_access = 127.0.0.0/24",
          sources=("127.0.0.1", "127.0.1.1"), messages=["match equally"]),
    lists("the lists of defaults", "no_access += 127.0.0.6", sources=NEAR,
          conf=LOGGED.replace("}", "\tno_access = 127.0.0.5\n}")),
    lists("the lists of defaults, replaced", "only_from = 127.0.0.6", sources=NEAR,
          conf=LOGGED.replace("}", "\tonly_from = 127.0.0.5\n}")),
    Scenario(
        "IPv6 addresses and prefixes",
        LOGGED + hello("one", "only_from = ::1") + hello("prefix", "only_from = ::/64")
        + hello("other", "only_from = fe80::/10") + hello("four", "only_from = 127.0.0.1"),
        [ask(name, host="::1", half_close=False) for name in ("one", "prefix", "other", "four")],
        masks=[masks.refused_before_start]),
    Scenario(
        "a built-in that forks",
        LOGGED + built_in("echo", "no_access = 127.0.0.5", "flags = IPv4"),
        [ask("echo", b"hello"), ask("echo", source="127.0.0.5", half_close=False)],
        masks=[masks.no_process, masks.refused_before_start]),
    Scenario(
        "a built-in that does not",
        LOGGED + built_in("daytime", "no_access = 127.0.0.5"),
        [ask("daytime"), ask("daytime", source="127.0.0.5", half_close=False)]),
    Scenario(
        "datagrams of a built-in",
        LOGGED + built_in_datagrams("echo", "no_access = 127.0.0.5"),
        [datagram("echo", b"one"), datagram("echo", b"two", source="127.0.0.5", answered=False),
         datagram("echo", b"three")]),
    Scenario(
        "datagrams of a server",
        LOGGED + service("waiting", "socket_type = dgram", "protocol = udp", "wait = yes",
                         "server = @wait_datagram@", "no_access = 127.0.0.5"),
        [datagram("waiting", b"no", source="127.0.0.5", answered=False),
         datagram("waiting", b"quit")],
        masks=[masks.server_pids, masks.refused_before_start]),
    Scenario(
        "the time of day",
        LOGGED + hello("always", "access_times = 0:00-23:59")
        + hello("sometimes", "access_times = 1:00-1:30 0:00-23:59")
        + hello("never", f"access_times = {outside_now()}")
        + built_in("daytime", f"access_times = {outside_now()}"),
        [ask(name, half_close=False) for name in ("always", "sometimes", "never", "daytime")]),
]
