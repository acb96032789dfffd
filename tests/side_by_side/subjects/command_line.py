"""Options, exit statuses, and inetd.conf."""
import masks
from scenario import Scenario
from steps import ask, command, keep_file, machine_file
from texts import LOGGED, service

INETD_CONF = "/etc/inetd.conf"


def hello(name, *lines):
    return service(name, "server = /bin/echo", "server_args = hello", *lines)


def refused(what, *arguments, conf="", **how):
    """A command line that starts nothing."""
    return Scenario(
        what, conf, [command("-dontfork", *arguments)], starts=False, has_canary=False, **how)


SCENARIOS = [
    Scenario("-version", steps=[command("-version")], starts=False),
    refused("a word that is no option", "word"),
    refused("-syslog and -filelog", "-syslog", "daemon", "-filelog", "@dir@/log"),
    refused("-limit with no number", "-limit", "many"),
    refused("-logprocs with no number", "-logprocs", "many"),
    refused("-cc with no number", "-cc", "often"),
    refused("-f without a file", "-f"),
    refused("a log that can't be opened", "-f", "@dir@/main.conf", "-filelog", "/no/such/dir/log"),
    refused("a file that is not there", "-f", "/no/such/file", "-filelog", "@dir@/log",
            masks=[masks.told_where_it_was_started]),
    refused("a mistake in defaults", "-f", "@dir@/main.conf", "-filelog", "@dir@/log",
            conf="defaults\n{\n\tinstances = few\n}\n" + hello("main"),
            masks=[masks.failure_status, masks.told_where_it_was_started]),
    refused("an option that is none", "-nonsense", "-version", masks=[masks.unknown_option]),
    Scenario(
        "options that change nothing here",
        LOGGED + hello("main"),
        [ask("main", half_close=False)],
        arguments=["-reuse", "-stayalive", "-logprocs", "5", "-shutdownprocs", "5", "-cc", "3600"]),
    Scenario(
        "no services, but -dontfork",
        LOGGED,
        has_canary=False),
    Scenario(
        "inetd.conf",
        LOGGED + hello("main"),
        [ask("main", half_close=False), ask("listed", half_close=False),
         ask("listed2", half_close=False), ask("listed3", b"hello")],
        before=[keep_file(INETD_CONF), machine_file(INETD_CONF, (
            "# a comment\n\n@listed@\tstream\ttcp\tnowait\troot\t/bin/echo\techo one two\n"
            "@listed2@ stream tcp nowait nobody /usr/bin/id id\n"
            "@listed3@\tstream\ttcp\tnowait\troot\t/bin/cat\n"))],
        arguments=["-inetd_compat"]),
    Scenario(
        "inetd.conf that is not there",
        LOGGED + hello("main"),
        [ask("main", half_close=False)],
        before=[keep_file(INETD_CONF)],
        arguments=["-inetd_compat"]),
]
