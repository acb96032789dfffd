"""SIGHUP, and files that have changed."""
import masks
from scenario import Scenario
from steps import (ask, close, converse, datagram, finish, hold, hup, hup_to_no_good,
                   rename, usherd_line)
from texts import LOGGED, built_in, built_in_datagrams, service

MESSAGES = ("Reconfigured", "deactivated", "reconfiguration failed")


def say(name, *lines):
    return service(name, "server = /bin/echo", f"server_args = {name}", *lines)


def cat(name, *lines):
    return service(name, "server = /bin/cat", *lines)


def visits(*names):
    return [ask(name, half_close=False) for name in names]


def reloading(name, before, after, steps_before=(), steps_after=(), **how):
    """A scenario whose main file changes."""
    return Scenario(
        name, LOGGED + before, [*steps_before, hup(conf=LOGGED + after), *steps_after],
        messages=MESSAGES, **how)


SCENARIOS = [
    reloading("nothing has changed", say("one") + say("two"), say("one") + say("two"),
              visits("one"), visits("one", "two")),
    reloading("a service is added", say("one"), say("one") + say("two"),
              visits("one"), visits("one", "two")),
    reloading("a service is removed", say("one") + say("two"), say("one"),
              visits("two"), visits("one", "two")),
    reloading("a service is disabled", say("one") + say("two"), say("one")
              + say("two", "disable = yes"), visits("two"), visits("one", "two")),
    reloading("a service is enabled", say("one") + say("two", "disable = yes"),
              say("one") + say("two"), visits("one"), visits("one", "two")),
    reloading("a service moves to another port", say("one"), say("one", "port = @other@"),
              visits("one"), visits("one", "other"), masks=[masks.moved_service("one")]),
    reloading("a service is called otherwise", say("one"), say("one", "id = new"),
              visits("one"), visits("one")),
    reloading("a service does something else", say("one"),
              say("one").replace("server_args = one", "server_args = other"),
              visits("one"), visits("one")),
    reloading("a service is told apart by its address", say("one", "bind = 127.0.0.1"),
              say("one", "bind = 127.0.0.2"), visits("one"),
              [ask("one", half_close=False), ask("one", host="127.0.0.2", half_close=False)]),
    reloading("a built-in becomes one of datagrams", built_in("echo"), built_in_datagrams("echo"),
              [ask("echo", b"hello")], [datagram("echo", b"hello"), ask("echo")],
              masks=[masks.no_process, masks.moved_service("echo")]),
    reloading("all services but one go, and come", say("one") + say("two") + say("three"),
              say("three") + say("four") + say("five"), visits("one", "two", "three"),
              visits("one", "two", "three", "four", "five")),
    reloading("a running server goes on", cat("cat"), cat("cat") + say("new"),
              [hold("a", "cat")], [converse("a", b"still here\n"), close("a"), *visits("new")]),
    reloading("a running server goes on when its service changes", cat("cat"),
              cat("cat", "instances = 1", "nice = 3"), [hold("a", "cat")],
              [converse("a", b"still here\n"), ask("cat", b"full"), close("a"),
               ask("cat", b"free")]),
    reloading("a running server of a removed service ends", cat("cat") + say("one"), say("one"),
              [hold("a", "cat")], [finish("a"), ask("cat")],
              masks=[masks.ended_servers("cat")]),
    reloading("limits are lowered and raised",
              cat("low", "instances = 2") + cat("high", "instances = 1"),
              cat("low", "instances = 1") + cat("high", "instances = 2"),
              [hold("a", "low"), hold("b", "low"), hold("c", "high")],
              [ask("low"), hold("d", "high"), ask("high"), converse("a", b"on"), close("a"),
               ask("low"), close("b"), ask("low", b"free"), close("c"), close("d")]),
    reloading("the access lists change", say("one"), say("one", "no_access = 127.0.0.5"),
              [ask("one", source="127.0.0.5", half_close=False)],
              [ask("one", source="127.0.0.5", half_close=False), *visits("one")],
              masks=[masks.refused_before_start]),
    reloading("the flags of the log change", say("one"),
              say("one", "log_on_success = HOST", "id = one"), visits("one"), visits("one")),
    reloading("the log goes elsewhere", say("one"),
              say("one", "log_type = FILE @dir@/other.log"), visits("one"), visits("one"),
              logs=("service.log", "other.log")),
    reloading("an entry goes wrong", say("one") + say("two"), say("one", "instances = few")
              + say("two"), visits("one"), visits("one", "two"),
              masks=[masks.broken_entry("one")]),
    Scenario(
        "defaults go wrong",
        LOGGED + say("one"),
        [*visits("one"),
         hup_to_no_good(LOGGED.replace("}", "\tinstances = few\n}") + say("one"))],
        masks=[masks.rejected_reload]),
    reloading("a running server whose client would not be admitted any more", cat("cat"),
              cat("cat", "no_access = 127.0.0.5"), [hold("a", "cat", source="127.0.0.5"),
                                                   hold("b", "cat")],
              [usherd_line("EXIT: cat signal=15"), converse("b", b"still here\n"),
               close("b")],
              masks=[masks.no_longer_admitted("cat", "127.0.0.5")]),
    Scenario(
        "the log was renamed",
        LOGGED + say("one"),
        [*visits("one"), rename("service.log", "old.log"), hup(), *visits("one")],
        messages=MESSAGES, logs=("service.log", "old.log")),
    Scenario(
        "an included file appears, changes and goes",
        LOGGED + "includedir @dir@/d\n" + say("one"),
        [hup({"d/two": say("two")}), *visits("one", "two"),
         hup({"d/two": say("two", "instances = 0")}), *visits("two"),
         rename("d/two", "away"), hup(), *visits("one", "two")],
        files={"d/none": "# empty\n"},
        messages=MESSAGES),
    Scenario(
        "the main file is gone",
        LOGGED + say("one"),
        [rename("main.conf", "away"), hup(summary="reconfiguration failed"), *visits("one")]),
    Scenario(
        "defaults change",
        LOGGED + say("one"),
        [*visits("one"), hup(conf=LOGGED.replace("}", "\tinstances = 0\n}") + say("one")),
         *visits("one")],
        messages=MESSAGES),
]
