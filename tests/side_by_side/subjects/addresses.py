"""Where services listen."""
from scenario import Scenario
from steps import ask, datagram
from texts import LOGGED, built_in_datagrams, service


def say(name, *lines):
    return service(name, "server = /bin/echo", f"server_args = {name}", *lines)


def visits(name, hosts=("127.0.0.1", "127.0.0.2", "::1")):
    return [ask(name, host=host, half_close=False) for host in hosts]


def listening(what, *lines, **how):
    return Scenario(what, LOGGED + say("main", *lines), visits("main"), **how)


SCENARIOS = [
    listening("everywhere"),
    listening("an IPv4 address", "bind = 127.0.0.2"),
    listening("by its other name", "interface = 127.0.0.2"),
    listening("an IPv6 address", "bind = ::1"),
    listening("all of IPv4", "bind = 0.0.0.0"),
    listening("all of IPv6", "bind = ::"),
    listening("a name", "bind = localhost", "flags = IPv4", bound_later=("main",)),
    listening("IPv4 alone", "flags = IPv4"),
    listening("IPv6, and so both", "flags = IPv6"),
    listening("IPv6 alone", "flags = IPv6", "v6only = yes"),
    listening("both families, asked for", "flags = IPv4 IPv6"),
    Scenario(
        "of defaults, and of services",
        LOGGED.replace("}", "\tbind = 127.0.0.2\n}") + say("theirs")
        + say("own", "bind = 127.0.0.1"),
        [*visits("theirs"), *visits("own")]),
    Scenario(
        "one port, two addresses",
        LOGGED + say("one", "bind = 127.0.0.1", "port = @port@")
        + say("two", "bind = 127.0.0.2", "port = @port@"),
        visits("port", ("127.0.0.1", "127.0.0.2"))),
    Scenario(
        "datagrams",
        LOGGED + built_in_datagrams("echo", "bind = 127.0.0.2")
        + built_in_datagrams("time", "flags = IPv4"),
        [datagram("echo", b"x", host="127.0.0.2"), datagram("time", b"x")]),
]
