"""Connections that are passed on."""
import socket

import masks
from scenario import Scenario
from steps import ask, close, connect, converse, finish, hold, message, read, serve
from texts import LOGGED, entry, service

TRAFFIC = entry("defaults", [
    "log_type = FILE @dir@/service.log", "log_on_success = PID HOST EXIT DURATION TRAFFIC",
    "log_on_failure = HOST"])


def redirect(name, *lines, to="127.0.0.1 @target@"):
    return service(name, f"redirect = {to}", *lines)


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def greet(connection):
    connection.sendall(b"hello\r\n")
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        pass


def pour(connection):
    connection.sendall(b"0123456789abcdef" * 20000)


SCENARIOS = [
    Scenario(
        "both ways",
        TRAFFIC + redirect("relay"),
        [connect("a", "relay"), converse("a", b"one\n"), converse("a", b"x" * 50000), close("a")],
        before=[serve("target", echo)],
        masks=[masks.no_process]),
    Scenario(
        "the target speaks first and ends",
        TRAFFIC + redirect("relay"),
        [connect("a", "relay"), finish("a"), connect("b", "relay"), read("b", 7), close("b")],
        before=[serve("target", greet)],
        masks=[masks.no_process]),
    Scenario(
        "much from the target",
        TRAFFIC + redirect("relay"),
        [ask("relay", half_close=False)],
        before=[serve("target", pour)],
        masks=[masks.no_process]),
    Scenario(
        "without TRAFFIC, from IPv6, with banners",
        LOGGED + redirect("relay", "banner = @dir@/one", "banner_success = @dir@/two"),
        [connect("a", "relay", host="::1"), read("a", 8), converse("a", b"three\n"), close("a")],
        files={"one": "one\n", "two": "two\n"},
        before=[serve("target", echo)],
        masks=[masks.no_process]),
    Scenario(
        "to a name",
        LOGGED + redirect("relay", "flags = IPv4", to="localhost @target@"),
        [connect("a", "relay"), converse("a", b"one\n"), close("a")],
        before=[serve("target", echo)],
        masks=[masks.no_process]),
    Scenario(
        "limits and lists",
        LOGGED + redirect("full", "instances = 1") + redirect("door", "no_access = 127.0.0.5"),
        [hold("a", "full"), ask("full", half_close=False), close("a"),
         ask("door", source="127.0.0.5", half_close=False)],
        before=[serve("target", echo)],
        masks=[masks.no_process, masks.refused_before_start]),
    Scenario(
        "to nobody",
        TRAFFIC + redirect("relay"),
        [ask("relay", half_close=False), message("can't connect")],
        messages=["can't connect"],
        masks=[masks.no_process, masks.connect_failure("relay")]),
]
