"""Chromium without a window, told what to do by the DevTools protocol over a pipe."""
import base64
import contextlib
import fcntl
import json
import os
import pathlib
import select
import signal
import subprocess
import time

DEADLINE_SECONDS = 20

FLAGS = ("--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
         "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-breakpad", "--no-proxy-server", "--hide-scrollbars")

KEYS = {"Tab": 9, "Enter": 13, " ": 32}


class Browser:
    """One process for all pages; its pipe is at the descriptors 3 and 4."""

    def __init__(self, program, directory):
        self.buffer, self.count, self.events = b"", 0, []
        commands, self.to = os.pipe()
        self.answers, answers = os.pipe()
        inherited = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (commands, answers)]

        def place_pipes():
            for number, fd in enumerate(inherited, 3):
                os.dup2(fd, number)

        with open(os.path.join(directory, "browser.err"), "wb") as errors:
            # pylint: disable=consider-using-with, subprocess-popen-preexec-fn
            self.process = subprocess.Popen(
                [program, *FLAGS, f"--user-data-dir={directory}/profile", "about:blank"],
                env={"PATH": os.environ["PATH"], "HOME": directory, "TZ": "UTC"},
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, close_fds=False,
                preexec_fn=place_pipes, start_new_session=True)
        for fd in (commands, answers, *inherited):
            os.close(fd)

    def close(self):
        with contextlib.suppress(OSError, TimeoutError):
            self.call("Browser.close")
        try:
            self.process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        os.close(self.to)
        os.close(self.answers)

    def read_message(self, due):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.answers], [], [], max(0, due - time.monotonic()))
            piece = os.read(self.answers, 1 << 20) if ready else b""
            if not piece:
                raise TimeoutError("the browser says nothing")
            self.buffer += piece
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        """Waits for the answer; what else is said meanwhile is in events."""
        self.count += 1
        request = {"id": self.count, "method": method, "params": parameters}
        if session:
            request["sessionId"] = session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        due = time.monotonic() + DEADLINE_SECONDS
        while True:
            message = self.read_message(due)
            if message.get("id") == self.count:
                break
            self.events.append(message)
        if "error" in message:
            raise ValueError(f"{method}: {message['error']['message']}")
        return message["result"]


class Page:
    """A tab of the browser."""

    def __init__(self, browser, url, width=1280, height=900):
        self.browser = browser
        browser.events.clear()
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target,
                                    flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.resize(width, height)
        self.call("Page.navigate", url=url)

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def resize(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)

    def prefer(self, **features):
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": name.replace("_", "-"), "value": value} for name, value in features.items()])

    def run(self, expression):
        """The value of a JavaScript expression, or of what it promises."""
        done = self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                         returnByValue=True)
        if "exceptionDetails" in done:
            raise ValueError(f"{expression}: {done['exceptionDetails']}")
        return done["result"].get("value")

    def wait_for(self, condition):
        """Until the expression is true."""
        waiting = ("new Promise((resolve) => { const check = () => { let is = false; "
                   f"try {{ is = ({condition}); }} catch {{}} "
                   "is ? resolve(true) : setTimeout(check, 20); }; check(); })")
        try:
            self.run(waiting)
        except TimeoutError as error:
            shown = self.run("document.body.innerText.slice(0, 1500)")
            raise AssertionError(f"waited in vain for {condition}\n{shown}") from error

    def press(self, key):
        text = {"Enter": "\r", " ": " "}.get(key)
        common = {"key": key, "windowsVirtualKeyCode": KEYS[key],
                  "code": "Space" if key == " " else key}
        self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown",
                  **common, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def complaints(self):
        """What is written to the console, and errors that nobody caught."""
        self.run("0")
        return [event["params"] for event in self.browser.events
                if event["method"] in ("Runtime.exceptionThrown", "Log.entryAdded",
                                       "Runtime.consoleAPICalled")]

    def photograph(self, path):
        """The whole page as a picture."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1})
        path = pathlib.Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(picture["data"]))
