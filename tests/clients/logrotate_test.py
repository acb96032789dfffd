"""logrotate moves the logs away and signals the daemon, while connections go on coming."""
import concurrent.futures
import itertools
import re
import socket
import threading

import kit

ROTATIONS = 3


class LogrotateTest(kit.ClientTest):
    programs = ("logrotate",)

    def setUp(self):
        super().setUp()
        self.port = self.add_program("hello", "echo", "hello")
        self.settings = self.write("logrotate.conf", f"""
{self.place}/{kit.DAEMON_LOG} {self.place}/{kit.SERVICE_LOG} {{
    rotate {ROTATIONS + 1}
    sharedscripts
    postrotate
        kill -HUP $(cat {self.place}/daemon.pid)
    endscript
}}
""")
        self.start_daemon()

    def rotate(self):
        self.run_step("logrotate", "--force", "--state", self.place / "state", self.settings)
        self.wait_for_lines(kit.DAEMON_LOG, "Reconfigured: ")

    def all_logs(self):
        """The service log's text, from its oldest file to the present one."""
        rotated = [f"{kit.SERVICE_LOG}.{n}" for n in range(ROTATIONS, 0, -1)]
        return "".join(map(self.read, rotated + [kit.SERVICE_LOG]))

    def wait_for_every_line(self, count):
        self.wait_until(lambda: self.all_logs().count("EXIT: hello ") >= count, "every line")

    def connect_until(self, is_over):
        """Connects again and again; returns how often."""
        for count in itertools.count():
            if is_over.is_set():
                return count
            with socket.create_connection((kit.HOST, self.port), kit.DEADLINE_SECONDS) as peer:
                self.assertEqual(peer.recv(100), b"hello\n")

    def test_no_line_is_lost(self):
        is_over = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            connecting = pool.submit(self.connect_until, is_over)
            try:
                for _ in range(ROTATIONS):
                    self.wait_for_lines(kit.SERVICE_LOG, "EXIT: hello ", 10)
                    self.rotate()
                self.wait_for_lines(kit.SERVICE_LOG, "EXIT: hello ", 10)
            finally:
                is_over.set()
            count = connecting.result()
        self.wait_for_every_line(count)
        for kind in ("START", "EXIT"):
            lines = re.findall(rf"^{kit.LOG_TIME}{kind}: hello ", self.all_logs(), re.MULTILINE)
            self.assertEqual(len(lines), count, kind)
        self.assertEqual(self.all_logs().count("\n"), 2 * count)
