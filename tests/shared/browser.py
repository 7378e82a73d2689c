"""A headless Chromium that opens pages from the disk with every request refused: ``from browser import Browser, start``.

It speaks the W3C's WebDriver protocol with the driver that comes with the browser; no package is needed.
"""

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress

BROWSERS, DRIVERS = ("chromium", "chromium-browser", "google-chrome"), ("chromedriver", "chromium-driver")
KEYS = {"left": "\ue012", "up": "\ue013", "right": "\ue014", "down": "\ue015", "tab": "\ue004", "enter": "\ue007"}
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def installed():
    """Paths of browser and driver, or None where one of them is missing."""
    paths = [next((path for name in names if (path := shutil.which(name))), None) for names in (BROWSERS, DRIVERS)]
    return paths if all(paths) else None


@contextmanager
def start():
    """A browser; it ends with the block."""
    program, driver = installed()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            browser = Browser(f"http://127.0.0.1:{port}", program, profile)
            try:
                yield browser
            finally:
                browser.quit()
        finally:
            process.terminate()
            process.wait()


class Browser:
    """A window of a browser, 1280 x 900 unless told otherwise."""

    def __init__(self, address, program, profile):
        self.address = address
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        flags += ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--no-proxy-server"]
        flags += ["--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={profile}", "--window-size=1280,900"]
        options = {"binary": program, "args": flags}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        self._wait_for_driver()
        session = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.address += f"/session/{session['sessionId']}"

    def quit(self):
        with suppress(OSError):
            self._send("DELETE", "")

    def open(self, path, *, width=1280, height=900, dark=False, scripts=True, still=False):
        """Opens a file, in colours and with preferences as given, and waits until it is live; its log begins anew."""
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
        ]
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.control("Emulation.setEmulatedMedia", features=features)
        self.control("Emulation.setDeviceMetricsOverride", **size)
        self.control("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.log()
        self._send("POST", "/url", {"url": path.absolute().as_uri()})
        if scripts:
            self.wait("return document.documentElement.classList.contains('live')")

    def run(self, script, *arguments):
        """What a script returns; a promise is waited for."""
        body = f"const given = [...arguments], done = given.pop(); (async () => {{ {script} }})()"
        body += ".then(value => done([value]), error => done(String(error)))"
        answer = self._send("POST", "/execute/async", {"script": body, "args": list(arguments)})
        assert isinstance(answer, list), answer
        return answer[0]

    def wait(self, script, seconds=20):
        """Waits until a script returns what is true."""
        until = time.monotonic() + seconds
        while not self.run(script):
            assert time.monotonic() < until, f"never true: {script}; console: {self.log()}"
            time.sleep(0.02)

    def click(self, selector):
        """Clicks on the middle of the element."""
        self._send("POST", f"/element/{self._element(selector)}/click", {})

    def press(self, selector, *keys):
        """Types keys into the element, which has the focus then: letters, or names of ``KEYS``."""
        text = "".join(KEYS.get(key, key) for key in keys)
        self._send("POST", f"/element/{self._element(selector)}/value", {"text": text})

    def slide(self, selector, index):
        """Moves a slider to one of its values, as a hand would: its page is told."""
        self.run(
            "const slider = document.querySelector(given[0]); slider.value = given[1];"
            "slider.dispatchEvent(new Event('input', {bubbles: true}))",
            selector,
            index,
        )

    def drag(self, selector, *points):
        """Draws with the mouse over an element, through points that are shares of its width and height."""
        box = self.run("return document.querySelector(given[0]).getBoundingClientRect().toJSON()", selector)
        spots = [(box["left"] + x * box["width"], box["top"] + y * box["height"]) for x, y in points]
        for kind, (x, y) in zip(["mousePressed", *["mouseMoved"] * (len(points) - 1)], spots, strict=True):
            self.control("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
        x, y = spots[-1]
        self.control("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, button="left", clickCount=1)

    def text(self, selector="body"):
        """Words of an element that can be seen."""
        return self._send("GET", f"/element/{self._element(selector)}/text")

    def requests(self):
        """Addresses that the page has asked for, itself excepted."""
        return self.run("return performance.getEntriesByType('resource').map(entry => entry.name)")

    def log(self):
        """What stood in the console since it was last read, errors of scripts and of the policy among it."""
        return [entry["message"] for entry in self._send("POST", "/se/log", {"type": "browser"})]

    def picture(self, path):
        """Writes a picture of the whole page."""
        size = self.control("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.control("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def control(self, command, **parameters):
        """A command of the browser's own protocol."""
        return self._send("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def _element(self, selector):
        return self._send("POST", "/element", {"using": "css selector", "value": selector})[_ELEMENT]

    def _send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with _NO_PROXY.open(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                told = json.load(error)["value"]
            raise AssertionError(f"{told['error']}: {told['message']}") from None

    def _wait_for_driver(self):
        """Waits until the driver takes connections."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            with suppress(urllib.error.URLError):
                if self._send("GET", "/status")["ready"]:
                    return
            time.sleep(0.05)
        raise AssertionError("the driver of the browser does not answer")
