"""curl's http through a redirect service to a server of Python's."""
import http.server
import re
import threading

import kit


class Target(http.server.BaseHTTPRequestHandler):
    """Returns what it was posted, and the same body to everyone who asks."""

    protocol_version = "HTTP/1.1"  # connections are kept
    body = b""

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(self.body)

    def do_POST(self):
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_):
        """It is the daemon's log that is looked at."""


class RedirectTest(kit.ClientTest):
    programs = ("curl",)

    def setUp(self):
        super().setUp()
        self.sent = self.write_random("sent", 5 << 20)
        target = type("ThisTarget", (Target,), {"body": self.sent.read_bytes()})
        self.server = http.server.ThreadingHTTPServer((kit.HOST, 0), target)
        self.addCleanup(self.server.server_close)
        self.url = self.add_redirect("web", self.server.server_port)
        self.gone_port = self.take_port()
        self.gone_url = self.add_redirect("gone", self.gone_port)
        self.start_daemon()
        threading.Thread(target=self.server.serve_forever, args=(0.01,)).start()
        self.addCleanup(self.server.shutdown)

    def add_redirect(self, name, port):
        flags = "PID HOST EXIT DURATION TRAFFIC"
        port = self.add_service(name, redirect=f"{kit.HOST} {port}", log_on_success=flags)
        return f"http://{kit.HOST}:{port}/"

    def curl(self, *arguments, statuses=(0,)):
        return self.run_step("curl", "-sS", "--noproxy", "*", "--max-time", "15", *arguments,
                             statuses=statuses)

    def assert_relayed(self, count, received=0, returned=0):
        """Waits until so many connections have ended, and checks the lines of each: no
        process, and at least so many bytes in each direction."""
        self.wait_for_lines(kit.SERVICE_LOG, "EXIT: web ", count)
        log = self.read(kit.SERVICE_LOG)
        starts = rf"^{kit.LOG_TIME}START: web pid=0 from={kit.HOST}$"
        traffic = rf"^{kit.LOG_TIME}TRAFFIC: web in=(\d+)\(bytes\) out=(\d+)\(bytes\)$"
        exits = rf"^{kit.LOG_TIME}EXIT: web status=0 pid=0 duration=\d+\(sec\)$"
        self.assertEqual(len(re.findall(starts, log, re.MULTILINE)), count)
        self.assertEqual(len(re.findall(exits, log, re.MULTILINE)), count)
        amounts = re.findall(traffic, log, re.MULTILINE)
        self.assertEqual(len(amounts), count)
        for incoming, outgoing in amounts:
            self.assertGreater(int(incoming), received)
            self.assertGreater(int(outgoing), returned)

    def test_gets(self):
        self.curl("-o", "fetched", self.url)
        self.assert_same_files("sent", "fetched")
        self.assert_relayed(1, returned=5 << 20)

    def test_posts(self):
        self.curl("--data-binary", "@sent", "-o", "fetched", self.url)
        self.assert_same_files("sent", "fetched")
        self.assert_relayed(1, received=5 << 20, returned=5 << 20)

    def test_keeps_a_connection_for_the_next_request(self):
        self.curl("-o", "one", self.url, "-o", "two", self.url)
        self.assert_same_files("one", "two")
        self.assert_relayed(1, returned=10 << 20)

    def test_gets_sixteen_at_once(self):
        self.at_once(lambda n: self.curl("-o", f"fetched{n}", self.url), 16)
        for n in range(16):
            self.assert_same_files("sent", f"fetched{n}")
        self.assert_relayed(16, returned=5 << 20)

    def test_tells_when_the_target_is_gone(self):
        self.curl(self.gone_url, statuses=(52, 56))  # an empty reply, or a reset
        self.wait_for_lines(kit.DAEMON_LOG, f"gone: can't connect to remote host {kit.HOST}: ")
        self.wait_for_lines(kit.SERVICE_LOG, "EXIT: gone ")
