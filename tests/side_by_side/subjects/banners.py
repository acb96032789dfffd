"""The three banners."""
import masks
from scenario import Scenario
from steps import ask
from texts import LOGGED, built_in, service

FILES = {"always": b"welcome\nor not\n", "success": b"come in\r\n", "fail": b"go away\n",
         "long": b"0123456789abcdef" * 300, "empty": b""}
ALL = ("banner = @dir@/always", "banner_success = @dir@/success", "banner_fail = @dir@/fail")


def hello(name, *lines):
    return service(name, "server = /bin/echo", "server_args = hello", *lines)


def visit(name, **how):
    return ask(name, half_close=False, **how)


SCENARIOS = [
    Scenario(
        "each alone, admitted",
        LOGGED + "".join(hello(f"one{i}", line) for i, line in enumerate(ALL)),
        [visit(f"one{i}") for i in range(3)],
        files=FILES),
    Scenario(
        "each alone, refused for the address",
        LOGGED + "".join(hello(f"one{i}", line, "no_access = 127.0.0.5")
                         for i, line in enumerate(ALL)),
        [visit(f"one{i}", source="127.0.0.5") for i in range(3)],
        files=FILES,
        masks=[masks.refused_before_start]),
    Scenario(
        "all, admitted and refused",
        LOGGED + hello("hello", *ALL, "no_access = 127.0.0.5")
        + service("cat", "server = /bin/cat", "instances = 0", *ALL)
        + hello("late", *ALL, "access_times = 0:00-0:01"),
        [visit("hello"), visit("hello", source="127.0.0.5"), visit("cat")],
        files=FILES,
        masks=[masks.refused_before_start]),
    Scenario(
        "of built-ins",
        LOGGED + built_in("daytime", *ALL, "no_access = 127.0.0.5")
        + built_in("echo", *ALL, "no_access = 127.0.0.5", "flags = IPv4"),
        [visit("daytime"), visit("daytime", source="127.0.0.5"), ask("echo", b"hello\n"),
         visit("echo", source="127.0.0.5")],
        files=FILES,
        masks=[masks.no_process, masks.refused_before_start]),
    Scenario(
        "of defaults, and of services",
        LOGGED.replace("}", "\t" + "\n\t".join(ALL) + "\n}") + hello("theirs")
        + hello("own", "banner = @dir@/long") + hello("refusing", "instances = 0"),
        [visit("theirs"), visit("own"), visit("refusing")],
        files=FILES),
    Scenario(
        "long, empty and missing",
        LOGGED + hello("long", "banner = @dir@/long", "banner_success = @dir@/long")
        + hello("empty", "banner = @dir@/empty", "banner_success = @dir@/empty")
        + hello("missing", "banner = @dir@/none", "banner_success = @dir@/none")
        + hello("refusing", "banner_fail = @dir@/none", "instances = 0"),
        [visit("long"), visit("empty"), visit("missing"), visit("refusing")],
        files=FILES,
        masks=[masks.reasons],
        messages=["banner"]),
]
