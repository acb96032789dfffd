"""The page of status_page in Chromium: what it shows, and how it can be used."""
import contextlib
import http.client
import os
import pathlib
import socket
import tempfile

import browser
import kit
import metrics_test

# Of each text that is shown: its contrast with what is behind it (WCAG 2, 1.4.3).
LOW_CONTRAST = """(() => {
    const parse = (text) => text.match(/[0-9.]+/g).map(Number);
    const light = ([red, green, blue]) => [red, green, blue].map((value) => value / 255)
        .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
        .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
    const behind = (node) => {
        const color = parse(getComputedStyle(node).backgroundColor);
        return color[3] === 0 && node.parentElement ? behind(node.parentElement) : color;
    };
    const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || !node.checkVisibility()
            || node.matches("script, style, noscript"))
            continue;
        const [low, high] = [parse(getComputedStyle(node).color), behind(node)].map(light).sort();
        if ((high + 0.05) / (low + 0.05) < 4.5)
            found.push(walker.currentNode.textContent);
    }
    return found;
})()"""

WAVES = (5, 20, 15, 30, 10, 5, 20, 35, 25, 15)  # connections between two refreshes

FOCUSED = ("(() => { const node = document.activeElement;"
           " return node.id || node.getAttribute('href') || node.tagName; })()")


class StatusPageTest(kit.ClientTest):
    programs = ("chromium",)
    browser = None

    def setUp(self):
        super().setUp()
        self.add_entry("daemon", {"control_socket": self.place / "control"})
        self.page_port = self.add_page()
        self.hello = self.add_program("hello", "echo", "hello")
        self.cat = self.add_program("cat", "cat", idle_timeout=100)
        self.closed = self.add_program("closed", "true", no_access="0.0.0.0/0")
        self.trap = self.add_service("trap", type="INTERNAL UNLISTED", flags="SENSOR",
                                     deny_time="5")

    def add_page(self):
        return self.add_service("status_page", server=os.environ["STATUS_PAGE"],
                                server_args=f"-timeout 2 -socket {self.place / 'control'}",
                                lingering_close="yes", stderr="log", log_on_success="",
                                env="ASAN_OPTIONS=detect_leaks=0")

    @classmethod
    def tearDownClass(cls):
        if cls.browser:
            cls.browser.close()
            cls.directory.cleanup()

    def orphans(self):
        """The browser stays for all tests."""
        return {pid: name for pid, name in super().orphans().items()
                if not name.startswith("chrom")}

    def start_daemon(self):
        """What the page asked last may still run."""
        super().start_daemon()
        self.addCleanup(self.see_servers_end)

    def open(self, width=1280, height=900):
        """Waits for what the first answer shows."""
        cls = type(self)
        if not cls.browser:
            # pylint: disable=consider-using-with
            cls.directory = tempfile.TemporaryDirectory(prefix="usherd-browser-")
            cls.browser = browser.Browser(self.which("chromium"), cls.directory.name)
        self.page = browser.Page(cls.browser, f"http://{kit.HOST}:{self.page_port}/", width, height)
        self.addCleanup(self.page.close)
        self.prefer_scheme("light")
        self.page.wait_for("document.querySelector('#services-table tbody tr')")

    def prefer_scheme(self, scheme):
        """Colors change at once, as no motion is wanted either."""
        self.page.prefer(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")

    def photograph(self, name):
        self.page.photograph(pathlib.Path(os.environ["SCREENSHOTS"]) / f"{name}.png")

    def text(self, selector):
        return self.page.run(f"document.querySelector({selector!r}).innerText")

    def row(self, service):
        """The texts of the cells of a service's row."""
        return self.page.run(
            "[...document.querySelectorAll('#services-table tbody tr')].map((row) => "
            "[...row.cells].map((cell) => cell.innerText))"
            f".find((cells) => cells[0].startsWith({service!r}))")

    def assert_no_complaints(self):
        self.assertEqual(self.page.complaints(), [])

    def connect(self, port, source=kit.HOST):
        return socket.create_connection((kit.HOST, port), kit.DEADLINE_SECONDS, (source, 0))

    def visit(self, port, times):
        for _ in range(times):
            with self.connect(port) as peer:
                peer.recv(100)

    # --- what it shows ---

    def test_idle(self):
        self.start_daemon()
        self.open()
        self.assertEqual(self.text("#state"), "Every service is up")
        self.assertEqual(self.page.run("document.title"), f"Every service is up \u2013 usherd at {kit.HOST}:{self.page_port}")
        self.assertEqual(self.row("hello")[1], "listening")
        self.assertIn(f"tcp {kit.HOST}:{self.hello}", self.row("hello")[2])
        self.assertIn("queue 0 of ", self.row("hello")[2])
        self.assertIn("5 services, 5 up", self.text("#services-table caption"))
        self.assertIn("in force", self.text("#facts"))
        self.assertEqual(self.page.run("document.querySelector('#trouble').hidden"), True)
        self.page.run("refresh()")
        self.assertEqual(self.page.run(LOW_CONTRAST), [])
        self.photograph("idle")
        self.assert_no_complaints()

    def test_under_load(self):
        self.start_daemon()
        self.open()
        with contextlib.ExitStack() as held:
            for number in range(1, 9):
                peer = held.enter_context(self.connect(self.cat, f"127.0.1.{number % 3 + 1}"))
                peer.sendall(b"x" * 1000 * number)
            self.connect(self.trap, "127.0.0.9").close()
            for times in WAVES:
                self.visit(self.hello, times)
                self.visit(self.closed, times // 5)
                self.page.run("refresh()")
            self.page.wait_for("document.querySelectorAll('#sessions-table tbody tr').length >= 8")
            self.page.run("refresh()")
            self.assertEqual(self.row("hello")[4], str(sum(WAVES)))
            self.assertEqual(self.row("cat")[3], "8")
            self.assertEqual(self.row("closed")[6], str(sum(WAVES) // 5))
            self.assertIn("address, from 127.0.0.1", self.row("closed")[7])
            self.assertRegex(self.text("#sessions-table"), r"127\.0\.1\.3:\d+\s+cat\s+serving\s+\d+")
            self.assertRegex(self.text("#refusals-table"), rf"address\s+closed, trap\s+{sum(WAVES) // 5 + 1}")
            self.assertRegex(self.text("#sources-table"), r"127\.0\.1\.2/32\s+3")
            self.assertRegex(self.text("#bans-table"), r"127\.0\.0\.9\s+[45] min")
            self.assertRegex(self.page.run(
                "document.querySelector('#charts svg').getAttribute('aria-label')"),
                r"^Connections per second: now [0-9.,]+, at most [0-9.,]+ in [0-9]+ s$")
            self.assertRegex(self.page.run("document.querySelector('#charts .curve').getAttribute('d')"),
                             r"^M[0-9. ]+(L[0-9. ]+){3,}$")
            self.photograph("load")
            self.prefer_scheme("dark")
            self.photograph("load-dark")
        self.assert_no_complaints()

    def test_a_broken_service(self):
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port = self.add_program("taken", "true")
            other.bind((kit.HOST, port))
            other.listen(1)
            self.add_program("misspelt", "true", socket_type="strem")
            self.start_daemon()
            self.open()
            self.assertEqual(self.text("#state"), "2 services are not up")
            self.assertEqual(self.page.run("document.querySelector('#state').dataset.tone"), "bad")
            self.assertIn("retrying", self.row("taken")[1])
            self.assertIn("Address already in use", self.row("taken")[1])
            self.assertIn("not bound: Address already in use", self.row("taken")[2])
            self.assertIn("in force, with 1 error. 1 service is not started.", self.text("#trouble-text"))
            self.assertIn("strem", self.text("#trouble-lines"))
            self.assertEqual(self.page.run(LOW_CONTRAST), [])
            self.photograph("broken")
        self.assert_no_complaints()

    def test_hostile_data_is_text(self):
        """Of an id, and of a line of the configuration; there are no blanks in ids."""
        evil = "<img/src=x/onerror=document.title=1>"
        self.add_program(evil, "true")
        self.add_program("other", "true", socket_type=f"<script>document.title=2</script>{evil}")
        self.start_daemon()
        self.open()
        self.assertEqual(self.row(evil)[0].splitlines()[0], evil)
        self.assertIn("<script>document.title=2</script>", self.text("#trouble-lines"))
        self.page.run("refresh()")
        self.assertEqual(self.page.run("document.querySelectorAll('img').length"), 0)
        self.assertEqual(self.page.run("document.querySelectorAll('script').length"), 1)
        self.assertRegex(self.page.run("document.title"), "^1 service is not up ")
        self.assert_no_complaints()

    def test_html_of_others_would_not_run(self):
        """The policy holds, if ever the script did something wrong."""
        self.start_daemon()
        self.open()
        self.assertIn("TrustedHTML", self.page.run(
            "(() => { try { document.body.innerHTML = '<b>x'; } catch (error) "
            "{ return String(error); } })()"))
        self.assertIn("TrustedScript", self.page.run(
            "(() => { try { document.createElement('script').src = 'data:,document.title=3'; } "
            "catch (error) { return String(error); } })()"))
        self.page.run("refresh()")
        self.assertEqual(self.page.run("document.title"), f"Every service is up \u2013 usherd at {kit.HOST}:{self.page_port}")

    # --- when the daemon does not answer ---

    def test_the_daemon_goes_and_comes_back(self):
        self.start_daemon()
        self.open()
        self.daemon.terminate()
        self.wait_for_end(self.daemon_end, "the daemon")
        self.assertEqual(self.daemon.wait(), 0)
        os.close(self.daemon_end)
        self.page.wait_for("document.querySelector('#state').innerText === 'No answer from usherd'")
        self.assertRegex(self.text("#detail"), r"^since .*[0-9:]{8}: the service of this page does not")
        self.assertRegex(self.text("#fresh"), r"^as of .*[0-9:]{8}$")
        self.assertEqual(self.row("hello")[1], "listening", "what was known stays")
        self.photograph("no-answer")
        self.launch_daemon()
        self.page.wait_for("document.querySelector('#state').innerText === 'Every service is up'")
        self.assertEqual(self.text("#detail"), "")

    def test_the_control_socket_goes_and_comes_back(self):
        self.start_daemon()
        self.open()
        with_socket = self.configuration
        self.configuration = with_socket.replace(str(self.place / "control") + "\n", "none\n", 1)
        self.write("usherd.conf", self.configuration)
        self.reload_daemon()
        self.page.wait_for("document.querySelector('#detail').innerText.includes('control: no daemon')")
        self.assertEqual(self.text("#state"), "No answer from usherd")
        self.write("usherd.conf", with_socket)
        self.reload_daemon()
        self.page.wait_for("document.querySelector('#state').innerText === 'Every service is up'")

    # --- using it ---

    def test_by_keyboard(self):
        self.start_daemon()
        self.open()
        order = []
        for _ in range(5):
            self.page.press("Tab")
            order.append(self.page.run(FOCUSED))
            self.assertEqual(self.page.run("getComputedStyle(document.activeElement).outlineStyle"),
                             "solid", order)
        self.assertEqual(order, ["#services", "pause", "filter", "status.json", "metrics"])
        self.page.run("document.activeElement.blur(), document.querySelector('.skip').focus()")
        self.page.press("Enter")
        self.page.wait_for("document.activeElement.id === 'services'")
        self.page.run("document.querySelector('.skip').focus()")
        self.page.press("Tab")
        self.page.press(" ")
        self.assertEqual(self.text("#pause"), "Resume")
        self.assertRegex(self.text("#fresh"), "^paused, as of ")
        self.assertEqual(self.page.run("(clearTimeout(timer), plan(), isPaused)"), True)
        self.page.press("Enter")
        self.assertEqual(self.text("#pause"), "Pause")
        self.assert_no_complaints()

    def test_a_refresh_leaves_focus_and_place(self):
        self.start_daemon()
        self.open(height=300)
        self.page.run("window.first = document.querySelector('#services-table tbody tr')")
        self.page.run("document.querySelector('#filter').focus()")
        self.page.type("hello listen")
        self.page.run("window.scrollTo(0, 200)")
        self.visit(self.hello, 3)
        self.page.wait_for("[...services.rows.values()].some((row) => row.cells[4].innerText === '3')")
        self.assertEqual(self.page.run(FOCUSED), "filter")
        self.assertEqual(self.page.run("document.querySelector('#filter').value"), "hello listen")
        self.assertEqual(self.page.run("window.scrollY"), 200)
        self.assertEqual(self.page.run("first.isConnected"), True)
        self.assertEqual(self.page.run(
            "[...document.querySelectorAll('#services-table tbody tr')]"
            ".filter((row) => !row.hidden).map((row) => row.cells[0].firstChild.innerText)"), ["hello"])
        self.assert_no_complaints()

    def test_in_the_dark_and_narrow(self):
        self.start_daemon()
        self.open()
        self.prefer_scheme("dark")
        background = "getComputedStyle(document.body).backgroundColor"
        self.assertEqual(self.page.run(background), "rgb(17, 21, 27)")
        self.assertEqual(self.page.run(LOW_CONTRAST), [])
        self.photograph("dark")
        self.assertEqual(self.page.run("getComputedStyle(document.querySelector('.chip'))"
                                       ".transitionProperty"), "none")
        self.prefer_scheme("light")
        self.page.resize(360, 740)
        self.assertEqual(self.page.run(background), "rgb(245, 246, 248)")
        self.assertLessEqual(self.page.run("document.scrollingElement.scrollWidth"), 360)
        self.assertEqual(self.page.run(LOW_CONTRAST), [])
        self.photograph("narrow")
        self.assertEqual(self.page.run(
            "[...document.querySelectorAll('table')].map((table) => [table.getAttribute('role'),"
            " table.caption.innerText !== '', [...table.querySelectorAll('thead th')]"
            ".every((cell) => cell.scope === 'col')])"), [["table", True, True]] * 5)
        self.assert_no_complaints()

    # --- programs ---

    def test_measures_are_those_of_the_daemon(self):
        self.start_daemon()
        self.visit(self.hello, 2)
        connection = http.client.HTTPConnection(kit.HOST, self.page_port, timeout=kit.DEADLINE_SECONDS)
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        measures = metrics_test.Measures(self, answer.read().decode())
        self.assertEqual(measures.get("usherd_connections_accepted_total", service="hello"), 2)
