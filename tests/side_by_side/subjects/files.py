"""How the files are read: includes, defaults, what is enabled, blanks and comments."""
from scenario import Scenario
from steps import ask
from texts import LOGGED, attributes, entry, service

def say(name, word=None, *lines):
    return service(name, "server = /bin/echo", f"server_args = {word or name}", *lines)


def visits(*names):
    return [ask(name, half_close=False) for name in names]


SCENARIOS = [
    Scenario(
        "include",
        LOGGED + "include @dir@/one\n" + say("main") + "include @dir@/two\n",
        visits("main", "one", "two", "inner"),
        files={"one": say("one"), "two": say("two") + "include @dir@/inner\n",
               "inner": say("inner")},),
    Scenario(
        "includedir and the names it passes over",
        LOGGED + "includedir @dir@/d\n",
        visits("b", "a", "conf", "tilde", "hidden", "inner", "dash-1"),
        files={f"d/{name}": say(called) for name, called in (
            ("b", "b"), ("a", "a"), ("x.conf", "conf"), ("x~", "tilde"), (".x", "hidden"),
            ("sub/inner", "inner"), ("dash-1", "dash-1"))},),
    Scenario(
        "includedir, the first of two in the order of bytes",
        LOGGED + "includedir @dir@/d\n",
        visits("same"),
        files={"d/b": say("same", "from-b", "bind = 127.0.0.1"),
               "d/a": say("same", "from-a", "bind = 127.0.0.1"),
               "d/B": say("same", "from-B", "bind = 127.0.0.1")}),
    Scenario(
        "what is included is missing",
        LOGGED + "include /no/such/file\nincludedir /no/such/directory\n" + say("main"),
        visits("main"),),
    Scenario(
        "no defaults at all",
        say("main", "hello", "log_type = FILE @dir@/service.log", "log_on_success = HOST"),
        visits("main")),
    Scenario(
        "defaults after the services",
        service("main", "server = /bin/echo", "server_args = hello") + LOGGED,
        visits("main")),
    Scenario(
        "defaults in two files",
        LOGGED + "include @dir@/more\n" + say("main", "hello", "instances = 0")
        + say("other"),
        visits("main", "other"),
        files={"more": entry("defaults", ["log_on_failure += ATTEMPT", "per_source = 0"])}),
    Scenario(
        "disable, and other letters",
        LOGGED + say("off", "x", "disable = yes") + say("on", "x", "disable = no")
        + say("OFF2", "x", "DISABLE = YES") + say("plain"),
        visits("off", "on", "OFF2", "plain"),),
    Scenario(
        "disabled in defaults",
        LOGGED.replace("}", "\tdisabled = one two-id\n\tdisabled = THREE\n}") + say("one")
        + say("two", "x", "id = two-id") + say("three") + say("four"),
        visits("one", "two", "three", "four"),),
    Scenario(
        "enabled in defaults",
        LOGGED.replace("}", "\tenabled = canary one\n\tenabled += two-id\n}") + say("one")
        + say("two", "x", "id = two-id") + say("three"),
        visits("one", "two", "three"),),
    Scenario(
        "enabled and disabled",
        LOGGED.replace("}", "\tenabled = canary one two three\n\tdisabled = two\n}") + say("one")
        + say("two") + say("three", "x", "disable = yes"),
        visits("one", "two", "three"),),
    Scenario(
        "one name, several ids and ports",
        LOGGED + say("same", "one", "id = one", "port = @one@") + say(
            "same", "two", "id = two", "port = @two@"),
        visits("one", "two")),
    Scenario(
        "a name that the port map has",
        LOGGED + entry("service @listed@", attributes(
            {"socket_type": "stream", "wait": "no", "user": "root", "server": "/bin/echo",
             "server_args": "by its name"}, [])),
        [ask("listed", half_close=False)],),
    Scenario(
        "blanks, comments and empty lines",
        "# first\n\n   # indented\n\t#tab\n#\n" + LOGGED.replace("{\n", "{\n\t# inside = x\n\n")
        + "  \tservice\t \tmain\t \n \t{ \t\n type\t=\tUNLISTED\t\n\t \tsocket_type =stream\n"
        "protocol =\ttcp\n  wait\t =no \n user =  root\nserver\t\t\t=/bin/echo  \n"
        "server_args =hello\nport = @main@\n  } \t\n# end\n",
        visits("main")),
    Scenario(
        "keywords in other letters",
        LOGGED.replace("defaults", "DEFAULTS")
        + say("main").replace("service", "Service").replace("socket_type", "Socket_Type")
        .replace("UNLISTED", "unlisted").replace("= stream", "= Stream"),
        visits("main")),
    Scenario(
        "attributes set twice",
        LOGGED + say("main", "first", "server_args = second"),
        visits("main")),
    Scenario(
        "no end of the last line",
        LOGGED + say("main").rstrip("\n"),
        visits("main"),
        has_canary=False),
    Scenario(
        "what comes after a word between entries",
        LOGGED + "stray words\n" + say("lost") + say("found"),
        visits("lost", "found"),),
    Scenario(
        "what comes after a brace between entries",
        LOGGED + say("main") + "}\n" + say("lost") + say("found"),
        visits("main", "lost", "found"),),
    Scenario(
        "words that mean nothing any more",
        LOGGED + say("main", "hello", "flags = REUSE", "mdns = no"),
        visits("main")),
]
