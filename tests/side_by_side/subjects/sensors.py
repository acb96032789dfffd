"""SENSOR and what it brings about, and INTERCEPT."""
import masks
from scenario import Scenario
from steps import ask, message
from texts import LOGGED, built_in, service


def hello(name, *lines):
    return service(name, "server = /bin/echo", "server_args = hello", *lines)


def visit(name, source=None):
    return ask(name, source=source, half_close=False)


def sensor(name, *lines):
    return service(name, "type = INTERNAL UNLISTED", "flags = SENSOR", *lines)


SCENARIOS = [
    Scenario(
        "who touches a sensor is refused everywhere",
        LOGGED + sensor("trap", "deny_time = 5") + hello("door") + built_in("daytime"),
        [visit("door", "127.0.0.5"), visit("trap", "127.0.0.5"), message("global_no_access"),
         visit("door", "127.0.0.5"), visit("daytime", "127.0.0.5"), visit("door"),
         visit("door", "127.0.0.6")],
        masks=[masks.refused_before_start],
        messages=["global_no_access"]),
    Scenario(
        "for ever",
        LOGGED + sensor("trap", "deny_time = FOREVER") + hello("door"),
        [visit("trap", "127.0.0.5"), message("global_no_access"), visit("door", "127.0.0.5")],
        masks=[masks.refused_before_start],
        messages=["global_no_access"]),
    Scenario(
        "only told about",
        LOGGED + sensor("trap", "deny_time = NEVER") + sensor("unset") + hello("door"),
        [visit("trap", "127.0.0.5"), visit("unset", "127.0.0.5"), visit("door", "127.0.0.5")],
        messages=["global_no_access"]),
]
