"""The services that need no program."""
import masks
from scenario import Scenario
from steps import ask, close, connect, converse, datagram, finish, half_close, read, reset, send
from texts import LOGGED, built_in, built_in_datagrams

SCENARIOS = [
    Scenario(
        "echo, stream",
        LOGGED + built_in("echo"),
        [ask("echo", b"hello\r\n"), ask("echo", b"\0\1\2\377" * 300), ask("echo"),
         connect("a", "echo"), converse("a", b"one\n"), converse("a", b"x" * 100000), close("a")],
        masks=[masks.no_process]),
    Scenario(
        "echo, stream, the client resets the connection",
        LOGGED + built_in("echo"),
        [connect("a", "echo"), converse("a", b"one\n"), reset("a")],
        masks=[masks.no_process]),
    Scenario(
        "echo, stream, two clients at once",
        LOGGED + built_in("echo"),
        [connect("a", "echo"), converse("a", b"a"), connect("b", "echo"), converse("b", b"b"),
         converse("a", b"c"), close("a"), converse("b", b"d"), close("b")],
        masks=[masks.no_process]),
    Scenario(
        "discard, stream",
        LOGGED + built_in("discard"),
        [ask("discard", b"gone\r\n" * 1000), ask("discard"),
         connect("a", "discard"), send("a", b"x"), reset("a")],
        masks=[masks.no_process]),
    Scenario(
        "daytime, stream",
        LOGGED + built_in("daytime"),
        [ask("daytime"), ask("daytime", b"what time is it?\r\n"),
         connect("a", "daytime"), finish("a")]),
    Scenario(
        "time, stream",
        LOGGED + built_in("time"),
        [ask("time"), connect("a", "time"), finish("a")]),
    Scenario(
        "chargen, stream, left by the client",
        LOGGED + built_in("chargen"),
        [connect("a", "chargen"), read("a", 20000), close("a")],
        masks=[masks.no_process, masks.ring]),
    Scenario(
        "chargen, stream, the client has said its last",
        LOGGED + built_in("chargen"),
        [connect("a", "chargen"), send("a", b"x"), half_close("a"), read("a", 740), reset("a")],
        masks=[masks.no_process, masks.ring]),
    Scenario(
        "echo, datagrams",
        LOGGED + built_in_datagrams("echo"),
        [datagram("echo", b"one"), datagram("echo", b"two\0" * 100),
         datagram("echo", b"x" * 2048)]),
    Scenario(
        "discard, datagrams",
        LOGGED + built_in_datagrams("discard"),
        [datagram("discard", b"one", answered=False), datagram("discard", b"", answered=False)]),
    Scenario(
        "daytime, datagrams",
        LOGGED + built_in_datagrams("daytime"),
        [datagram("daytime", b"?"), datagram("daytime", b"?")]),
    Scenario(
        "time, datagrams",
        LOGGED + built_in_datagrams("time"),
        [datagram("time", b"?"), datagram("time", b"?")]),
    Scenario(
        "chargen, datagrams",
        LOGGED + built_in_datagrams("chargen"),
        [datagram("chargen", b"?")],
        masks=[masks.short_datagrams, masks.ring]),
    Scenario(
        "echo of an empty datagram",
        LOGGED + built_in_datagrams("echo"),
        [datagram("echo", b"")]),
    Scenario(
        "datagrams over IPv6",
        LOGGED + built_in_datagrams("echo"),
        [datagram("echo", b"six", host="::1")]),
    Scenario(
        "datagrams without wait, as in the manual's sample",
        LOGGED + built_in_datagrams("echo", "wait = no"),
        [datagram("echo", b"one"), datagram("echo", b"two")]),
    Scenario(
        "streams over IPv6",
        LOGGED + built_in("echo") + built_in("daytime"),
        [ask("echo", b"six", host="::1"), ask("daytime", host="::1")],
        masks=[masks.no_process]),
    Scenario(
        "names in other letters",
        LOGGED + built_in("ECHO", port="upper") + built_in("Daytime", "id = Clock", port="mixed"),
        [ask("upper", b"hello"), ask("mixed")],
        masks=[masks.no_process]),
    Scenario(
        "stream and datagrams on one port",
        LOGGED + built_in("echo", "id = one") + built_in_datagrams("echo", "id = other"),
        [ask("echo", b"stream"), datagram("echo", b"datagram")],
        masks=[masks.no_process]),
]
