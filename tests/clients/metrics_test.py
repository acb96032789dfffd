"""The measures of usherd -status=prometheus and metrics_file, read as Prometheus reads them."""
import os
import re
import socket

import kit

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
HELP = re.compile(rf"# HELP ({NAME}) (.+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge|histogram)")
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? ([0-9.]+)")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


class Measures:
    """Text of version 0.0.4, each rule of which is checked."""

    def __init__(self, test, text):
        self.test, self.types, self.values, self.family = test, {}, {}, None
        test.assertTrue(text.endswith("\n"))
        for line in text.splitlines():
            self.take(line)
        for name, kind in self.types.items():
            self.check_family(name, kind)

    def take(self, line):
        if found := HELP.fullmatch(line):
            self.test.assertNotIn(found[1], self.types, "a family that is there twice")
            self.family = found[1]
        elif found := TYPE.fullmatch(line):
            self.test.assertEqual(found[1], self.family, "a type without its help")
            self.types[self.family] = found[2]
        else:
            self.take_sample(line)

    def take_sample(self, line):
        found = SAMPLE.fullmatch(line)
        self.test.assertTrue(found, line)
        names = [self.family + suffix for suffix in SUFFIXES[self.types[self.family]]]
        self.test.assertIn(found[1], names, "a sample outside of its family")
        labels = re.findall(LABEL, found[2] or "")
        self.test.assertEqual(len(dict(labels)), len(labels), line)
        key = (found[1], frozenset(labels))
        self.test.assertNotIn(key, self.values, "a sample that is there twice")
        self.values[key] = float(line.rpartition(" ")[2])

    def check_family(self, name, kind):
        self.test.assertEqual(name.endswith("_total"), kind == "counter", name)
        if kind == "histogram":
            self.check_histogram(name)

    def check_histogram(self, name):
        buckets = sorted((float(dict(labels)["le"]), value) for (sample, labels), value
                         in self.values.items() if sample == f"{name}_bucket")
        counts = [value for _, value in buckets]
        self.test.assertEqual(counts, sorted(counts), "a histogram counts up")
        self.test.assertEqual(buckets[-1], (float("inf"), self.get(f"{name}_count")))

    def get(self, name, **labels):
        return self.values.get((name, frozenset(labels.items())))


class MetricsTest(kit.ClientTest):
    def setUp(self):
        super().setUp()
        self.add_entry("daemon", {"control_socket": self.place / "control",
                                  "metrics_file": self.place / "usherd.prom"})
        self.port = self.add_program("hello", "echo", "hello", log_on_success="TRAFFIC")
        self.add_program("closed", "true", no_access="0.0.0.0/0")
        self.closed = int(re.findall(r"port = (\d+)", self.configuration)[-1])
        for _ in range(2):  # two services with one id, and a name to be escaped
            self.add_program('odd"name\\', "true")
        self.start_daemon()
        for port in [self.port] * 3 + [self.closed] * 2:
            with socket.create_connection((kit.HOST, port), kit.DEADLINE_SECONDS) as peer:
                peer.recv(100)
        self.wait_for_lines(kit.SERVICE_LOG, "TRAFFIC: hello", 3)

    def ask(self):
        return self.run_step(os.environ["USHERD"], "-f", self.place / "usherd.conf",
                             "-status=prometheus").decode()

    def test_the_format_is_right(self):
        measures = Measures(self, self.ask())
        self.assertEqual(measures.get("usherd_connections_accepted_total", service="hello"), 3)
        self.assertEqual(measures.get("usherd_connections_refused_total", service="closed",
                                      reason="address"), 2)
        self.assertEqual(measures.get("usherd_transmit_bytes_total", service="hello"), 18)
        self.assertEqual(measures.get("usherd_session_duration_seconds_count"), 3)
        self.assertEqual(measures.get("usherd_sessions_running", service="hello"), 0)
        self.wait_until(lambda: self.read("usherd.prom"), "the file of measures")
        Measures(self, self.read("usherd.prom"))

    def test_promtool_accepts_it(self):
        promtool = self.which("promtool")
        if not promtool:
            self.do_without("promtool is not installed")
        self.assertEqual(self.run_step(promtool, "check", "metrics", given=self.ask().encode()),
                         b"")
