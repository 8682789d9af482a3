"""Chromium, driven over a pipe by its DevTools protocol: pages opened, looked at and measured.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HERE = pathlib.Path(__file__).parent
AXE = HERE.parent.parent / ".examples" / "clients" / "axe"
AXE_VERSION = "4.10.3"
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_SHORT = """.then(r => r.violations.map(
  v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.html).join(" | ")}`))"""


def axe():
    """The text of axe-core, from npm; the test is skipped where there is none."""
    file = AXE / "node_modules" / "axe-core" / "axe.min.js"
    if not file.exists():
        if not shutil.which("npm"):
            pytest.skip("there is no npm on this machine, which axe-core comes with")
        AXE.mkdir(parents=True, exist_ok=True)
        package = f"axe-core@{AXE_VERSION}"
        done = subprocess.run(
            ["npm", "install", "--silent", "--prefix", str(AXE), package],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    return file.read_text()


_START = """
import os, sys
theirs, from_them, *command = sys.argv[1:]
high = [os.dup(int(fd)) for fd in (theirs, from_them, theirs, from_them)][2:]
os.dup2(high[0], 3)  # it reads from this one and writes to the next
os.dup2(high[1], 4)
os.execvp(command[0], command)
"""


class Browser:
    """One tab; `errors` are what the console of the page told since it was opened."""

    def __init__(self, to, answers):
        self._to, self._answers = to, answers
        self._numbers = itertools.count(1)
        self._rest = b""
        self.errors = []
        self._events = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        session = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = session["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._ask(f"{domain}.enable")
        self._ask("Page.setBypassCSP", enabled=False)

    _session = None

    def _ask(self, method, **parameters):
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _next(self):
        while b"\0" not in self._rest:
            part = os.read(self._answers, 1 << 20)
            assert part, "the browser has ended"
            self._rest += part
        text, _, self._rest = self._rest.partition(b"\0")
        answer = json.loads(text)
        if "method" in answer:
            self._note(answer["method"], answer["params"])
        return answer

    def _note(self, method, said):
        self._events.append(method)
        if method == "Log.entryAdded" and said["entry"]["level"] in {"error", "warning"}:
            self.errors.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
        elif method == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(said["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled" and said["type"] in {
            "error",
            "warning",
            "assert",
        }:
            self.errors.append(json.dumps(said["args"])[:500])

    def open(self, url, *, width=1280, height=900, dark=False):
        """Open a page and wait for it."""
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._ask("Emulation.setEmulatedMedia", features=[scheme])
        self.errors.clear()
        self._events.clear()
        failed = self._ask("Page.navigate", url=url).get("errorText")
        assert not failed, f"{url}: {failed}"
        while "Page.loadEventFired" not in self._events:
            self._next()

    def resize(self, width):
        """Give the page another width."""
        self._ask("Emulation.setDeviceMetricsOverride", width=width, height=800,
                  deviceScaleFactor=1, mobile=False)  # fmt: skip

    def wait_for_load(self):
        """Wait for the page that a click or a form leads to."""
        while "Page.loadEventFired" not in self._events:
            self._next()

    def run(self, script):
        """The value of an expression on the page, a promise's when it is one."""
        found = self._ask("Runtime.evaluate", expression=script, awaitPromise=True,
                          returnByValue=True)  # fmt: skip
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def submit(self, script):
        """Run what sends a form or follows a link, and wait for the page it leads to."""
        self._events.clear()
        self.run(script)
        self.wait_for_load()

    def violations(self, *, with_contrast=True):
        """What axe-core finds against WCAG at level AA: rule and elements."""
        if not self.run("'axe' in window"):
            self.run(axe() + "; undefined")
        contrast = {"color-contrast": {"enabled": with_contrast}}
        options = {"runOnly": _TAGS, "resultTypes": ["violations"], "rules": contrast}
        return self.run(f"axe.run(document, {json.dumps(options)})" + _SHORT)

    def picture(self, file, *, whole=True):
        """Keep a picture of the page as PNG."""
        found = self._ask("Page.captureScreenshot", captureBeyondViewport=whole)
        pathlib.Path(file).write_bytes(base64.b64decode(found["data"]))

    def pdf(self, file):
        """Keep the page as it is printed."""
        found = self._ask("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        pathlib.Path(file).write_bytes(base64.b64decode(found["data"]))


@contextlib.contextmanager
def browsing(folder):
    """A browser with a profile of its own in a folder."""
    theirs, to = os.pipe()
    answers, from_them = os.pipe()
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
        "--no-first-run", "--disable-extensions", "--hide-scrollbars",
        f"--user-data-dir={folder}/profile",
    ]  # fmt: skip
    started = [sys.executable, "-c", _START, str(theirs), str(from_them), *command]
    process = subprocess.Popen(
        started, pass_fds=(theirs, from_them), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    os.close(from_them)
    try:
        yield Browser(to, answers)
    finally:
        os.close(to)  # it ends with the pipe
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(answers)
