"""netcat asks the multiplexer of RFC 1078 for services by name."""
import kit


class TcpmuxTest(kit.ClientTest):
    programs = ("nc.openbsd",)

    def setUp(self):
        super().setUp()
        self.port = self.add_service("tcpmux", type="INTERNAL UNLISTED")
        for name, kind in (("plain", "TCPMUX"), ("plus", "TCPMUXPLUS")):
            self.add_program(name, "cat", type=f"{kind} UNLISTED")
        self.add_program("closed", "cat", type="TCPMUXPLUS UNLISTED", no_access=kit.HOST)
        self.add_program("direct", "cat")
        self.start_daemon()

    def ask(self, words):
        return self.run_step("nc.openbsd", "-N", kit.HOST, str(self.port), given=words)

    def test_starts_the_service_asked_for(self):
        self.assertEqual(self.ask(b"plain\r\nhello\n"), b"hello\n")
        self.assert_sessions("plain", 1)

    def test_tells_that_the_service_follows(self):
        self.assertEqual(self.ask(b"PLUS\r\nhello\n"), b"+Go\r\nhello\n")
        self.assert_sessions("plus", 1)

    def test_lists_services(self):
        self.assertEqual(sorted(self.ask(b"help\r\n").split()), [b"closed", b"plain", b"plus"])

    def test_offers_no_other_services(self):
        for name in (b"direct", b"nothing"):
            self.assertEqual(self.ask(name + b"\r\n"), b"-Service name not found\r\n")

    def test_keeps_to_the_access_list_of_the_service(self):
        self.assertNotIn(b"hello", self.ask(b"closed\r\nhello\n"))
        self.wait_for_lines(kit.SERVICE_LOG, f"FAIL: closed address from={kit.HOST}\n")
