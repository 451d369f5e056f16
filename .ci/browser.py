"""Drives Chromium through its debugging pipe: nothing but Python and the browser is needed."""

import base64
import json
import os
import pathlib
import select
import subprocess
import sys
import tempfile
import time

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run
--disable-background-networking --disable-component-update --disable-sync
--hide-scrollbars --window-size=1440,900 --remote-debugging-pipe""".split()
RUNS = pathlib.Path("tests/scenarios/runs")
SHOTS = os.environ.get("CROSSVAULT_SHOTS")


class Browser:
    """A browser with one page."""

    def __init__(self, profile):
        to_browser, self.to = os.pipe()
        self.back, from_browser = os.pipe()

        def places():
            # The browser reads commands from 3 and writes answers to 4.
            kept = os.dup2(to_browser, 20), os.dup2(from_browser, 21)
            os.dup2(kept[0], 3)
            os.dup2(kept[1], 4)

        command = ["chromium", *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self.process = subprocess.Popen(
            command, preexec_fn=places, close_fds=False, stderr=subprocess.DEVNULL
        )
        os.close(to_browser)
        os.close(from_browser)
        self.rest, self.number, self.session, self.complaints = b"", 0, None, []
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data) :]
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def read(self):
        while b"\0" not in self.rest:
            if not select.select([self.back], [], [], 120)[0]:
                raise AssertionError("the browser says nothing for two minutes")
            data = os.read(self.back, 1 << 16)
            if not data:
                raise AssertionError("the browser is gone")
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(message)
        method, params = message.get("method"), message.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"])[:500])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(params["args"])[:500])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            url = params["request"]["url"]
            if not url.startswith(("file:", "about:", "data:")):
                self.complaints.append(f"it asks for {url}")
        return message

    def open(self, page, fragment=""):
        # From a blank page, so that another fragment of the same page is opened anew.
        self.ask("Page.navigate", url="about:blank")
        begun = time.monotonic()
        self.ask("Page.navigate", url=page.as_uri() + fragment)
        while self.js("location.protocol + (document.body?.dataset.ready ?? '')") != "file:yes":
            if time.monotonic() - begun > 60 or self.complaints:
                raise AssertionError(f"{page.name} is not ready: {self.complaints}")
            time.sleep(0.05)
        return time.monotonic() - begun

    def js(self, expression):
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key)

    def scheme(self, scheme):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", features=[feature])

    def shot(self, name):
        if SHOTS:
            data = self.ask("Page.captureScreenshot", format="png")["data"]
            pathlib.Path(SHOTS, f"{name}.png").write_bytes(base64.b64decode(data))


def check(is_so, says):
    if not is_so:
        raise AssertionError(says)


WORLD = "JSON.stringify([...world].sort(([a], [b]) => a < b ? -1 : 1))"


def rebuilt(data, n):
    """The world after the n-th event, by the data alone."""

    def become(before, difference):
        if difference == 0 and not isinstance(difference, list):
            return None
        if isinstance(difference, list):
            return difference[0]
        if isinstance(before, list):
            return [become(one, difference.get(str(i), [one])) for i, one in enumerate(before)]
        after = dict(before)
        for key, part in difference.items():
            value = become(after.get(key), part)
            if value is None:
                after.pop(key, None)
            else:
                after[key] = value
        return after

    world = {}
    for event in data["events"][: n + 1]:
        for key, difference in event[5]:
            key = data["keys"][key]
            value = become(world.get(key), difference)
            if value is None:
                world.pop(key, None)
            else:
                world[key] = value
    return sorted([key, value] for key, value in world.items())


def use(browser, page, jobs):
    """Uses one page as people do."""
    name = page.stem
    browser.scheme("light")
    took = browser.open(page)
    data = json.loads(browser.js("document.getElementById('data').textContent"))
    count = len(data["events"])
    check(jobs is None or len(data["jobs"]) == jobs, f"{name}: {len(data['jobs'])} jobs")
    bars = browser.js("document.querySelectorAll('#lanes .bar[data-job]').length")
    check(bars == len(data["jobs"]), f"{name}: {bars} bars for {len(data['jobs'])} jobs")
    check(browser.js("document.getElementById('facts').textContent").find(data["hash"]) > 0, "hash")
    browser.shot(f"{name}-light")

    # A link leads to its event, and the world is what it was then.
    middle = count // 2
    browser.open(page, f"#event={middle}")
    check(browser.js("here") == middle, f"{name}: the link leads to {browser.js('here')}")
    for key, by in (("ArrowRight", 1), ("ArrowRight", 1), ("ArrowLeft", -1), ("ArrowLeft", -1)):
        before, world = browser.js("here"), browser.js(WORLD)
        browser.press(key)
        now = browser.js("here")
        check((now - before) * by > 0, f"{name}: {key} leads from {before} to {now}")
        check(json.loads(browser.js(WORLD)) == rebuilt(data, now), f"{name}: the world at {now}")
        if rebuilt(data, now) != rebuilt(data, before):
            check(browser.js(WORLD) != world, f"{name}: {key} changed nothing")
        check(browser.js("location.hash") == f"#event={now}", "the link follows")
    # What the event changed is marked in the world, as often as it changed something.
    storing = next(n for n, one in enumerate(data["events"]) if n >= middle and one[5])
    browser.js(f"show({storing})")
    marked = browser.js("document.querySelectorAll('#world .thing:is(.new, .changed, .gone)').length")
    expected = len(data["events"][storing][5])
    check(marked == expected, f"{name}: {marked} of {expected} changes are marked")

    # A click on a bar leads to its job.
    browser.js("document.querySelector('#lanes .bar[data-job=\"0\"]').click()")
    check(browser.js("events[here].job") == 0, f"{name}: a bar leads elsewhere")

    # Filters leave fewer events, and all of them are of what was asked for.
    shown = browser.js("shown.length")
    set_to = "document.getElementById('{0}').value = '{1}';" \
        "document.getElementById('{0}').dispatchEvent(new Event('{2}'))"
    browser.js(set_to.format("of-job", 0, "change"))
    check(0 < browser.js("shown.length") < shown, f"{name}: the filter of a job")
    check(browser.js("shown.every((event) => event.job === 0)"), f"{name}: other jobs are shown")
    browser.js("document.getElementById('clear').click()")
    check(browser.js("shown.length") == shown, f"{name}: cleared filters show all")
    browser.js(set_to.format("search", "is queued", "input"))
    check(0 < browser.js("shown.length") < shown, f"{name}: the search")
    browser.js("document.getElementById('clear').click()")
    browser.js("document.querySelector('.chip[data-kind=\"job\"]').click()")
    check(browser.js("shown.every((event) => event.kind !== 'job')"), f"{name}: a kind is hidden")
    browser.js("document.getElementById('clear').click()")

    # Zooming makes the bars wider.
    wide = "document.querySelector('#lanes .bar[data-job=\"0\"]').getBoundingClientRect().width"
    before = browser.js(wide)
    for _ in range(12):
        browser.press("+")
    check(browser.js(wide) > before, f"{name}: zooming")
    browser.shot(f"{name}-near")
    browser.press("0")

    # Dark, as the system says and as the button says.
    paper = "getComputedStyle(document.body).backgroundColor"
    light = browser.js(paper)
    browser.scheme("dark")
    dark = browser.js(paper)
    check(light != dark, f"{name}: no dark page")
    browser.shot(f"{name}-dark")
    browser.js("document.getElementById('theme').click()")
    check(browser.js(paper) == light, f"{name}: the button makes it light")

    check(not browser.complaints, f"{name}: {browser.complaints}")
    size = page.stat().st_size
    check(size < 15_000_000, f"{name}: {size} bytes")
    print(f"{name}: {bars} bars, {count} events, {size // 1024} KiB, opened in {took:.1f} s")


def many():
    """A scenario of a thousand jobs: a dozen accounts, a hundred sources, ten days."""
    teams = range(12)
    sources = [f"team-{n % 12:02}/nas/fs-{n // 12}" for n in range(96)]
    binds = ", ".join(f'"{source}"' for source in sources)
    role = 'by = "team-03", does = "{}", {}'
    return "\n".join(
        [
            'format = 1\nabout = "A dozen accounts, a hundred sources, ten days; one role is deleted."',
            'accounts.vaults = { id = "1000000000000001" }',
            *(f'accounts.team-{n:02} = {{ id = "10000000000001{n:02}", grants = "role" }}' for n in teams),
            *(f'sources."{source}" = {{}}' for source in sources),
            "vaults.main = {}",
            f'policies.daily = {{ vault = "main", schedule = "every 1d from +1h", binds = [{binds}] }}',
            "acts = [",
            '{ at = "+2d12h", by = "team-03", does = "detach-policy", policy = "AliyunHBRRolePolicy", role = "hbrcrossrole" },',
            '{ at = "+2d12h", by = "team-03", does = "delete-role", name = "hbrcrossrole" },',
            *(f'{{ at = "+{day}d6h", edits = "{sources[day * 9]}" }},' for day in range(10)),
            '{ until = "+10d12h" },\n]\n',
        ]
    )


def main(program):
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        (scratch / "many.toml").write_text(many())
        scenarios = [
            (RUNS / "role-deleted-mid-backup.toml", 3),
            (RUNS / "function-dies-mid-backup.toml", 1),
            (RUNS / "function-stands-still.toml", 1),
            (scratch / "many.toml", None),
        ]
        browser = Browser(scratch / "profile")
        try:
            for scenario, jobs in scenarios:
                page = scratch / f"{scenario.stem}.html"
                subprocess.run([program, "sim", "timeline", scenario, "-o", page], check=True, stdout=subprocess.DEVNULL)
                use(browser, page, jobs)
            check(bool(browser.js("run.jobs.length > 900")), "many jobs")
        finally:
            try:
                browser.session = None
                browser.ask("Browser.close")
                browser.process.wait(20)
            except (AssertionError, OSError, subprocess.TimeoutExpired):
                browser.process.kill()


main(sys.argv[1])
