"""hosts.allow and hosts.deny."""
import masks
from scenario import Scenario
from steps import ask, keep_file, machine_file
from texts import LOGGED, built_in, service


def hello(name, *lines):
    return service(name, "server = /bin/echo", "server_args = hello", *lines)


def visit(name, source=None):
    return ask(name, source=source, half_close=False)


DENY = "echo: 127.0.0.5\nby-attribute: ALL\ndaytime: 127.0.0.5\ndiscard: ALL\nother-name: ALL\n"

SCENARIOS = [
    Scenario(
        "hosts.deny, by several names",
        LOGGED + hello("plain") + hello("attribute", "libwrap = by-attribute")
        + hello("off", "libwrap = by-attribute", "flags = NOLIBWRAP") + built_in("daytime")
        + built_in("discard", "flags = IPv4")
        + service("named", "flags = NAMEINARGS", "server = /bin/echo",
                  "server_args = other-name hello"),
        [visit("plain"), visit("plain", "127.0.0.5"), visit("attribute"), visit("off"),
         visit("daytime"), visit("daytime", "127.0.0.5"), visit("discard"), visit("named")],
        before=[keep_file("/etc/hosts.deny"), machine_file("/etc/hosts.deny", DENY),
                keep_file("/etc/hosts.allow")],
        masks=[masks.refused_before_start],
        messages=["libwrap refused"]),
    Scenario(
        "hosts.allow comes first",
        LOGGED + hello("plain"),
        [visit("plain"), visit("plain", "127.0.0.5")],
        before=[keep_file("/etc/hosts.deny"), machine_file("/etc/hosts.deny", "echo: ALL\n"),
                keep_file("/etc/hosts.allow"),
                machine_file("/etc/hosts.allow", "echo: 127.0.0.1\n")],
        masks=[masks.refused_before_start],
        messages=["libwrap refused"]),
]
