"""tcpmux and what is reached through it, RFC 1078."""
import masks
from scenario import Scenario
from steps import ask, close, connect
from texts import LOGGED, built_in, service


def multiplexed(name, kind, *lines):
    return service(name, f"type = {kind} UNLISTED", *lines)


MUX = (LOGGED + built_in("tcpmux")
       + multiplexed("plain", "TCPMUX", "server = /bin/echo", "server_args = plain hello")
       + multiplexed("plus", "TCPMUXPLUS", "server = /bin/echo", "server_args = plus hello")
       + multiplexed("nobody", "TCPMUXPLUS", "user = nobody", "server = /usr/bin/id")
       + service("apart", "server = /bin/echo", "server_args = not for all"))


def choose(name):
    """One line, as clients send it that wait for the reply."""
    return ask("tcpmux", name + b"\r\n", half_close=False)


SCENARIOS = [
    Scenario(
        "services by their names",
        MUX,
        [choose(b"plain"), choose(b"plus"), choose(b"PLUS"), choose(b"nobody")],
        masks=[masks.no_process_of("tcpmux"), masks.multiplexed_lines, masks.reply_ends,
               masks.multiplexed_count(3)]),
    Scenario(
        "names that are none",
        MUX,
        [choose(b"missing"), choose(b"apart"), choose(b"tcpmux"), choose(b"x" * 200)],
        masks=[masks.no_process_of("tcpmux"), masks.reply_ends, masks.multiplexed_count(3)]),
    Scenario(
        "a client that goes without a word",
        MUX,
        [connect("a", "tcpmux"), close("a")],
        masks=[masks.no_process_of("tcpmux"), masks.multiplexed_count(3)]),
]
