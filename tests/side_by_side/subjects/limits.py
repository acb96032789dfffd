"""How many may come, and how fast."""
import masks
from scenario import Scenario
from steps import (ask, busy_for_a_while, close, converse, hold, message, sockets,
                   until_listened, within)
from texts import LOGGED, built_in, service


def cat(name, *lines):
    return service(name, "server = /bin/cat", *lines)


SUSPENSION = ["ctivating service"]

# A RATE of cps is one connection every 1 / RATE seconds: so soon come those that are too
# many, or they are not.
SCENARIOS = [
    Scenario(
        "instances",
        LOGGED + cat("cat", "instances = 2"),
        [hold("a", "cat"), hold("b", "cat"), ask("cat", b"third"), close("a"),
         hold("d", "cat"), ask("cat", b"again"), close("b"), close("d"), ask("cat", b"last")]),
    Scenario(
        "instances of a built-in",
        LOGGED + built_in("echo", "instances = 1"),
        [hold("a", "echo"), ask("echo", b"second"), close("a"), ask("echo", b"third")],
        masks=[masks.no_process]),
    Scenario(
        "no instances at all",
        LOGGED + cat("cat", "instances = 0"),
        [ask("cat"), ask("cat")]),
    Scenario(
        "instances of defaults, and of services",
        LOGGED.replace("}", "\tinstances = 1\n}") + cat("theirs") + cat("own", "instances = 2")
        + cat("free", "instances = UNLIMITED"),
        [hold("a", "theirs"), ask("theirs"), close("a"),
         hold("b", "own"), ask("own"), hold("c", "own"), ask("own"), close("b"), close("c"),
         hold("d", "free"), hold("e", "free"), ask("free"), close("d"), close("e")]),
    Scenario(
        "per_source",
        LOGGED + cat("cat", "per_source = 1"),
        [hold("a", "cat"), ask("cat", b"second"), hold("b", "cat", source="127.0.0.5"),
         ask("cat", source="127.0.0.5"), close("a"), ask("cat", b"again"), close("b")]),
    Scenario(
        "per_source, IPv4 alone and IPv6",
        LOGGED + cat("four", "per_source = 1", "flags = IPv4") + cat("six", "per_source = 1"),
        [hold("a", "four"), ask("four"), close("a"),
         hold("b", "six", host="::1"), ask("six", host="::1"), ask("six"), close("b")]),
    Scenario(
        "per_source and instances",
        LOGGED + cat("cat", "per_source = 1", "instances = 2"),
        [hold("a", "cat"), ask("cat"), hold("b", "cat", source="127.0.0.5"),
         ask("cat", source="127.0.0.6"), ask("cat"), close("a"), close("b")]),
    Scenario(
        "-limit",
        LOGGED + cat("one") + cat("other"),
        [hold("a", "one"), hold("b", "other"), ask("one"), ask("other"), close("a"),
         ask("other", b"fits"), close("b")],
        arguments=["-limit", "2"]),
    Scenario(
        "max_load",
        LOGGED + cat("calm", "max_load = 100000") + cat("busy", "max_load = 0.0001"),
        [busy_for_a_while(), ask("calm", b"served"), ask("busy", b"refused")],
        messages=["excessive load"]),
    Scenario(
        "cps, suspended and back",
        LOGGED + cat("cat", "cps = 2 2", "usherd: cps_action = suspend"),
        [within(1 / 2, hold("a", "cat"), ask("cat", b"2"), ask("cat", b"3")),
         within(2, until_listened("cat", False), sockets("suspended"), ask("cat", b"4")),
         converse("a", b"still here"), message("Activating service"), until_listened("cat", True),
         sockets("back"), ask("cat", b"5"), converse("a", b"and still"), close("a")],
        messages=SUSPENSION),
    Scenario(
        "cps, not reached, and none",
        LOGGED + cat("few", "cps = 5 60") + cat("free", "cps = 0 60"),
        [ask("few", b"%d" % i) for i in range(5)] + [ask("free", b"%d" % i) for i in range(55)]),
    Scenario(
        "cps, refused one by one",
        LOGGED + cat("cat", "cps = 3 60"),
        [within(1 / 3, *(ask("cat", b"%d" % i) for i in range(4))), sockets("after")],
        masks=[masks.refuses_singly("cat")],
        messages=SUSPENSION),
]
