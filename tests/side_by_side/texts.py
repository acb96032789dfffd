"""Entries that many scenarios have in common, with their usual attributes."""

LOGGED = """
defaults
{
	log_type = FILE @dir@/service.log
	log_on_success = PID HOST EXIT DURATION
	log_on_failure = HOST
}
"""


def entry(head, lines):
    return "\n".join([head, "{", *(f"\t{line}" for line in lines), "}", ""])


def attributes(defaults, lines):
    """The usual lines, but for those that are given."""
    given = {line.split()[0] for line in lines}
    return [f"{name} = {value}" for name, value in defaults.items() if name not in given] + [*lines]


def service(name, *lines, port=None):
    """An external stream service; its port is called as it is, unless port says
    otherwise."""
    usual = {"type": "UNLISTED", "socket_type": "stream", "protocol": "tcp", "wait": "no",
             "user": "root", "port": f"@{port or name}@"}
    return entry(f"service {name}", attributes(usual, lines))


def built_in(name, *lines, port=None):
    usual = {"type": "INTERNAL UNLISTED", "socket_type": "stream", "protocol": "tcp",
             "wait": "no", "port": f"@{port or name}@"}
    return entry(f"service {name}", attributes(usual, lines))


def built_in_datagrams(name, *lines, port=None):
    usual = {"type": "INTERNAL UNLISTED", "socket_type": "dgram", "protocol": "udp",
             "wait": "yes", "port": f"@{port or name}@"}
    return entry(f"service {name}", attributes(usual, lines))
