"""The page in a real browser: ``python -m benchmarks.page RUN --out DIR [--axe axe.min.js]``.

Chromium opens every screen in both languages, both themes and two widths. Printed: bytes of
the first load, requests to elsewhere, errors of scripts, text that runs out of the window,
violations that axe-core finds (its file is not part of the project), and how long it takes
from an action to its reply on the screen. A picture of each is written to ``--out``.
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from benchmarks.http_client import served
from trefoil.fusion.recommender import Recommender

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
SETTLED = """new Promise(done => { let quiet = 0; const look = () => {
  quiet = document.querySelector('[aria-busy=true], [role=status]') ? 0 : quiet + 1;
  quiet > 3 ? done(true) : setTimeout(look, 40); }; setTimeout(look, 80); })"""
AXE = "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target).join(' | ')))"  # noqa: E501
WIDE = """[...document.querySelectorAll('main *, header *')].filter(e =>
  e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.wide, .hidden, .skip'))
  .slice(0, 5).map(e => e.tagName + '.' + e.className)"""


class Browser:
    """Chromium, spoken to over a pipe."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp()
        (ours, out), (into, theirs) = os.pipe(), os.pipe()
        ours, theirs = (fcntl.fcntl(one, fcntl.F_DUPFD, 20) for one in (ours, theirs))

        def ends() -> None:  # where Chromium looks for them
            os.dup2(ours, 3)
            os.dup2(theirs, 4)

        command = [shutil.which("chromium") or "chromium", *FLAGS]
        command.append(f"--user-data-dir={self._folder}")
        self._process = subprocess.Popen(
            command, preexec_fn=ends, close_fds=False, stderr=subprocess.DEVNULL
        )
        self._out, self._into = os.fdopen(out, "wb", 0), os.fdopen(into, "rb", 0)
        self._rest, self._number, self.events = b"", 0, []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for room in ("Page", "Runtime", "Network"):
            self.send(f"{room}.enable")

    def send(self, method: str, **said: Any) -> dict[str, Any]:
        """One command and its result; events that come meanwhile are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": said}
        if hasattr(self, "_session"):
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._rest:
                if not (more := self._into.read(1 << 16)):
                    raise SystemExit("the browser has ended")
                self._rest += more
            one, _, self._rest = self._rest.partition(b"\0")
            told = json.loads(one)
            if told.get("id") == self._number:
                if "error" in told:
                    raise SystemExit(f"{method}: {told['error']}")
                return told["result"]
            self.events.append(told)

    def value(self, script: str) -> Any:
        """What a script comes to."""
        told = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in told:
            raise SystemExit(f"{script[:80]}: {told['exceptionDetails']}")
        return told["result"].get("value")

    def picture(self, path: Path) -> None:
        """A picture of the whole page."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)
        shutil.rmtree(self._folder, ignore_errors=True)


def screens(run: Path) -> dict[str, str]:
    """The address of each screen, with values of the run."""
    recommender = Recommender.load(run, live=False)
    user = recommender.catalogue.users.ids[0]
    listed = recommender.recommend(user, 12, reasons=1)
    item = next(one.item for one in listed if one.reasons)
    cited = next(
        (node.id for node in listed[0].reasons[0].nodes if node.label == "Item" and node.id), item
    )
    who = f"user={user}&item={item}"
    return {
        "someone": f"#someone?user={user}",
        "somebody-new": "#someone?user=&text=space",
        "nobody": "#why",
        "why": f"#why?{who}",
        "what-if": f"#why?{who}&without={cited}",
        "whynot": f"#whynot?user={user}&item={listed[-1].item}",
        "item": f"#item?item={item}",
        "item-unknown": "#item?item=no-such-item",
        "graph": "#graph",
        "live": "#live",
        "privacy": f"#privacy?user={user}",
        "card": "#card",
        "docs": "docs",
    }


def seen(browser: Browser, root: str) -> tuple[int, list[str], list[str]]:
    """Bytes that were loaded, requests to elsewhere, errors, since the last look."""
    loaded, elsewhere, errors = 0, [], []
    for one in browser.events:
        said = one.get("params", {})
        if one.get("method") == "Network.loadingFinished":
            loaded += int(said["encodedDataLength"])
        if one.get("method") == "Network.requestWillBeSent":
            url = said["request"]["url"]
            if not url.startswith((root, "data:", "about:")):
                elsewhere.append(url)
        if one.get("method") == "Runtime.exceptionThrown":
            errors.append(said["exceptionDetails"].get("exception", {}).get("description", "?"))
    browser.events.clear()
    return loaded, elsewhere, errors


def look(browser: Browser, root: str, screen: str, address: str, how: tuple[str, str, int]) -> None:
    """Open a screen, wait until it is quiet, and tell it how to look."""
    language, theme, width = how
    browser.send(
        "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
        mobile=False,
    )  # fmt: skip
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.send("Emulation.setEmulatedMedia", features=features)
    browser.send("Page.navigate", url=f"{root}docs")
    browser.value(f"localStorage.setItem('trefoil-language', '{language}')")
    browser.send("Page.navigate", url="about:blank")
    browser.events.clear()
    browser.send("Page.navigate", url=root + address)
    until = time.monotonic() + 20
    while not browser.value("document.querySelector('main') !== null"):
        if time.monotonic() > until:
            raise SystemExit(f"{screen}: shows nothing")
        time.sleep(0.05)
    browser.value(SETTLED)


def act(browser: Browser, root: str, user: str) -> float:
    """Milliseconds from a change of the question to the new list on the screen."""
    look(browser, root, "someone", f"#someone?user={user}", ("en", "light", 1280))
    return browser.value(
        "new Promise(done => { const began = performance.now();"
        " const old = document.querySelector('.cards').innerHTML;"
        " document.querySelectorAll('.cards button')[1].click();"
        " const look = () => document.querySelector('.cards')?.innerHTML !== old"
        "   ? requestAnimationFrame(() => done(performance.now() - began)) : setTimeout(look, 2);"
        " look(); })"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="The page in a real browser")
    parser.add_argument("run", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--axe", type=Path, help="axe.min.js of axe-core")
    parser.add_argument("--only", default="", help="screens, joined by commas")
    parser.add_argument("--quick", action="store_true", help="two ways to look instead of eight")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    axe = args.axe.read_text("utf-8") if args.axe else ""
    wanted = [one for one in args.only.split(",") if one]
    ways = list(itertools.product(("en", "zh"), ("light", "dark"), (1280, 360)))
    ways = [ways[0], ways[-1]] if args.quick else ways
    with served(args.run) as one, Browser() as browser:
        root, found = f"http://127.0.0.1:{one.port}/", 0
        for screen, address in screens(args.run).items():
            if wanted and screen not in wanted:
                continue
            for how in ways:
                look(browser, root, screen, address, how)
                loaded, elsewhere, errors = seen(browser, root)
                if axe:
                    browser.value(axe)
                told = [*elsewhere, *errors, *browser.value(WIDE)]
                told += browser.value(AXE) if axe else []
                found += len(told)
                name = "-".join([screen, *map(str, how)])
                browser.picture(args.out / f"{name}.png")
                print(f"{name}: {loaded / 1000:.0f} KB" + "".join(f"\n  {t}" for t in told))
        users = Recommender.load(args.run, live=False).catalogue.users.ids[1:10]
        times = sorted(act(browser, root, user) for user in users)
        print(f"an action: median {times[len(times) // 2]:.0f} ms, longest {times[-1]:.0f} ms")
        print(f"{found} things to mend")


if __name__ == "__main__":
    main()
