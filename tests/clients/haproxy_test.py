"""HAProxy in front of two daemons, and behind one."""
import contextlib
import os
import re
import socket
import subprocess
import time

import kit

MANUAL = "man/usherd.conf.5"
DEFAULTS = """defaults
\tmode tcp
\ttimeout connect 5s
\ttimeout client 1m
\ttimeout server 1m
"""


class HaproxyTest(kit.ClientTest):
    programs = ("haproxy", "env", "cat")

    def setUp(self):
        super().setUp()
        self.seconds = []  # the configuration of the second daemon
        self.balancer_port = self.take_port()

    def start_daemon(self):
        """Programs may end only after their clients; the balancer is gone by then."""
        super().start_daemon()
        self.addCleanup(self.see_servers_end)

    # --- two daemons ---

    def add_machines(self, program="env", **attributes):
        """Adds the same service to both daemons; returns their ports."""
        ports = []
        for name in ("one", "two"):
            before = self.configuration
            ports.append(self.add_program(name, program, proxy_protocol="any",
                                          proxy_from=f"{kit.HOST} ::1", **attributes))
            if name == "two":
                self.seconds.append(self.configuration[len(before):])
                self.configuration = before
        return ports

    def start_machines(self):
        self.start_daemon()
        head = self.configuration[:self.configuration.index("service ")]
        head = head.replace(kit.SERVICE_LOG, "second.log")
        configuration = self.write("second.conf", head + "".join(self.seconds))
        # pylint: disable=consider-using-with
        self.second = subprocess.Popen(
            [os.environ["USHERD"], "-dontfork", "-f", configuration,
             "-filelog", self.place / "second-daemon.log",
             "-pidfile", self.place / "second.pid"],
            cwd=self.place, env=self.environment, stdin=subprocess.DEVNULL)
        self.steps.append(self.second)
        self.addCleanup(self.end_second)
        self.wait_for_lines("second-daemon.log", "Started working")

    def end_second(self):
        self.second.terminate()
        self.assertIn(self.second.wait(kit.DEADLINE_SECONDS), (0, None))

    # --- HAProxy ---

    def start_balancer(self, configuration, *arguments):
        path = self.write("haproxy.cfg" if not arguments else f"{arguments[-1]}.cfg",
                          DEFAULTS + configuration)
        self.run_step("haproxy", "-c", "-f", path, *arguments)
        return self.start_step("haproxy", "-db", "-f", path, *arguments)

    def balance(self, ports, options):
        servers = "".join(f"\tserver s{port} {kit.HOST}:{port} {options}\n" for port in ports)
        self.start_balancer(f"""frontend in
\tbind {kit.HOST}:{self.balancer_port}
\tbind [::1]:{self.balancer_port}
\tunique-id-format %[uuid()]
\tdefault_backend machines
backend machines
\tbalance roundrobin
{servers}""")

    def connect(self, source, port=None):
        """A connection through the balancer, as soon as that listens."""
        port = port or self.balancer_port
        due = time.monotonic() + kit.DEADLINE_SECONDS
        while True:
            client = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET)
            client.settimeout(kit.DEADLINE_SECONDS)
            try:
                client.bind((source, 0))
                client.connect(("::1" if ":" in source else kit.HOST, port))
                return client
            except ConnectionRefusedError:
                client.close()
                self.assertLess(time.monotonic(), due, "the balancer does not listen")

    def ask(self, source, sent=b"", port=None):
        """What comes: as much as was sent, or everything until the end. A reset is an end,
        also one before connect(2) returns."""
        received = b""
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            with self.connect(source, port) as client:
                client.sendall(sent)
                while not sent or len(received) < len(sent):
                    piece = client.recv(65536)
                    if not piece:
                        break
                    received += piece
        return received.decode(errors="replace")

    def assert_variable(self, output, name, value):
        self.assertRegex(output, rf"(?m)^{name}={value}$")

    # --- tests ---

    def see_clients(self, options):
        self.balance(self.machines, options)
        for source in ("127.0.0.2", "127.0.0.3", "::1", "127.0.0.2", "::1", "127.0.0.3"):
            output = self.ask(source)
            self.assert_variable(output, "REMOTE_ADDR", source)
            self.assert_variable(output, "TCPLOCALPORT", self.balancer_port)
            self.assert_variable(output, "PROXY_ADDR", kit.HOST)
        for log, name in ((kit.SERVICE_LOG, "one"), ("second.log", "two")):
            self.wait_for_lines(log, rf"START: {name} pid=\d+ from=(127\.0\.0\.[23]|::1)", 3)
            self.assertNotIn("FAIL", self.read(log))
        return output

    def see_both(self, options):
        self.machines = self.add_machines()
        self.start_machines()
        return self.see_clients(options)

    def test_tells_clients_by_version_1(self):
        self.see_both("send-proxy")

    def test_tells_clients_by_version_2(self):
        output = self.see_both("send-proxy-v2 proxy-v2-options unique-id,crc32c")
        self.assert_variable(output, "PROXY_UNIQUE_ID", "[0-9a-f-]{36}")

    def see_checks(self, options):
        """The checks find both machines; one that ends gets no clients any more."""
        machines = self.add_machines()
        self.start_machines()
        self.balance(machines, options + " inter 100ms fall 1")
        self.ask("127.0.0.2")
        self.ask("127.0.0.2")
        for log, name in ((kit.SERVICE_LOG, "one"), ("second.log", "two")):
            self.wait_for_lines(log, f"START: {name} .*from=127.0.0.2")
            self.wait_for_lines(log, f"START: {name} .*from=127.0.0.1\n", 3)
            self.assertNotIn("FAIL", self.read(log))
        self.second.terminate()
        self.second.wait(kit.DEADLINE_SECONDS)
        due = time.monotonic() + kit.DEADLINE_SECONDS
        served = 0
        while served < 6:  # one after the other, as HAProxy has noticed
            served = served + 1 if "REMOTE_ADDR=127.0.0.3" in self.ask("127.0.0.3") else 0
            self.assertLess(time.monotonic(), due)

    def test_checks_health_by_version_1(self):
        self.see_checks("send-proxy check")

    def test_checks_health_by_version_2(self):
        self.see_checks("send-proxy-v2 check")

    def test_checks_health_without_a_header(self):
        port = self.add_program("plain", "env", proxy_protocol="v2", proxy_from=kit.HOST)
        self.start_daemon()
        self.balance([port], f"send-proxy-v2 check port {port} inter 50ms")
        for _ in range(10):
            self.assert_variable(self.ask("127.0.0.2"), "REMOTE_ADDR", "127.0.0.2")
        self.wait_for_lines(kit.SERVICE_LOG, "EXIT: plain", 10)
        self.assertNotRegex(self.read(kit.SERVICE_LOG), "FAIL|from=127.0.0.1\n")

    def test_counts_clients_for_per_source(self):
        machines = self.add_machines("cat", per_source=1)
        self.start_machines()
        self.balance(machines[:1], "send-proxy-v2")
        with self.connect("127.0.0.2") as held:
            held.sendall(b"held\n")
            self.assertEqual(held.recv(16), b"held\n")
            self.assertEqual(self.ask("127.0.0.3", b"other\n"), "other\n")
            self.assertEqual(self.ask("127.0.0.2", b"second\n"), "")
            self.assertEqual(self.ask("::1", b"third\n"), "third\n")
        self.wait_for_lines(kit.SERVICE_LOG, "FAIL: one per_source_limit from=127.0.0.2\n")

    def test_counts_clients_for_source_cps(self):
        machines = self.add_machines("cat", source_cps="2/3600 2")
        self.start_machines()
        self.balance(machines[:1], "send-proxy")
        for host in range(2, 40):
            self.assertEqual(self.ask(f"127.0.0.{host}", b"x"), "x")
        self.assertEqual(self.ask("127.0.0.2", b"x"), "x")
        self.assertEqual(self.ask("127.0.0.2", b"x"), "")
        self.wait_for_lines(kit.SERVICE_LOG, "FAIL: one source rate from=127.0.0.2\n")

    def manual_example(self):
        """HAProxy's configuration in the manual, with other addresses and ports."""
        with open(MANUAL, encoding="ascii") as manual:
            blocks = re.findall(r"(?s)\.Bd -literal[^\n]*\n(.*?)\.Ed\n", manual.read())
        found = [block for block in blocks if block.startswith("frontend")]
        self.assertEqual(len(found), 1)
        return found[0]

    def test_shares_bans_as_the_manual_says(self):
        machines = self.add_machines("cat")
        self.start_machines()
        peers = [self.take_port(), self.take_port()]
        entries = {}
        for name in ("left", "right"):
            entries[name] = self.take_port(), self.take_port()
            text = self.manual_example()
            for old, new in ((":7000\n\ttcp", f"{kit.HOST}:{entries[name][0]}\n\ttcp"),
                             (":23\n", f"{kit.HOST}:{entries[name][1]}\n"),
                             ("192.0.2.21:7000", f"{kit.HOST}:{machines[0]}"),
                             ("192.0.2.22:7000", f"{kit.HOST}:{machines[1]}"),
                             ("192.0.2.10:1024", f"{kit.HOST}:{peers[0]}"),
                             ("192.0.2.11:1024", f"{kit.HOST}:{peers[1]}")):
                self.assertIn(old, text)
                text = text.replace(old, new)
            for port in machines:
                text = text.replace("check port 7000", f"check port {port}", 1)
            self.start_balancer(text, "-L", name)
        for name in ("left", "right"):
            self.assertEqual(self.ask("127.0.0.2", b"x", entries[name][0]), "x")
            self.assertEqual(self.ask("127.0.0.3", b"x", entries[name][0]), "x")
        self.assertEqual(self.ask("127.0.0.3", port=entries["left"][1]), "")
        for name in ("left", "right"):
            due = time.monotonic() + kit.DEADLINE_SECONDS
            while self.ask("127.0.0.3", b"x", entries[name][0]):
                self.assertLess(time.monotonic(), due, f"{name} does not know the ban")
            self.assertEqual(self.ask("127.0.0.2", b"x", entries[name][0]), "x")

    def test_keeps_each_client_on_one_machine(self):
        machines = self.add_machines("env", source_cps="5/3600 5")
        self.start_machines()
        self.start_balancer(f"""frontend in
\tbind {kit.HOST}:{self.balancer_port}
\tdefault_backend machines
backend machines
\tbalance source
\tserver one {kit.HOST}:{machines[0]} send-proxy-v2
\tserver two {kit.HOST}:{machines[1]} send-proxy-v2
""")
        for host in range(2, 22):
            served = sum(bool(self.ask(f"127.0.0.{host}")) for _ in range(7))
            self.assertEqual(served, 5, f"127.0.0.{host} was served")

    def test_believes_what_redirect_says(self):
        inner = self.add_program("inner", "env", proxy_protocol="v2", proxy_from=kit.HOST)
        for version in ("v1", "v2"):
            accepting = self.take_port()
            port = self.add_service(f"relay-{version}", redirect=f"{kit.HOST} {accepting}",
                                    send_proxy=version)
            setattr(self, version, (accepting, port))
        self.start_daemon()
        self.start_balancer(f"""listen in
\tbind {kit.HOST}:{self.v1[0]} accept-proxy
\tbind {kit.HOST}:{self.v2[0]} accept-proxy
\tserver inner {kit.HOST}:{inner} send-proxy-v2
""")
        self.connect(kit.HOST, self.v1[0]).close()  # until it listens
        for _, port in (self.v1, self.v2):
            output = self.ask("127.0.0.7", port=port)
            self.assert_variable(output, "REMOTE_ADDR", "127.0.0.7")
            self.assert_variable(output, "TCPLOCALPORT", port)
