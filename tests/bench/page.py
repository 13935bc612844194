"""page.py BUILD CALLS TIMES: how long the report of a trace of CALLS calls takes to write, how large it is, and how
soon it is drawn in Chromium without a window, opened TIMES times: until the load event, and until all pictures are."""
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "views"))
from browser import Browser  # noqa: E402

DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"


def main(build, calls, times):
    sctrace = os.path.join(os.path.abspath(build), "sctrace")
    maker = os.path.join(os.path.abspath(build), "tests", "bench", "bench_readers_calls")
    with tempfile.TemporaryDirectory(prefix="sctrace-page-", dir=os.environ.get("TMPDIR", "/var/tmp")) as work:
        trace, page = os.path.join(work, "trace"), os.path.join(work, "page.html")
        subprocess.run([sctrace, "record", "-q", "-o", trace, "--", maker, "4", str(int(calls) // 40)], check=True)
        began = time.monotonic()
        child = subprocess.Popen([sctrace, "report", "-o", page, trace], stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        print(f"{calls} calls: written in {time.monotonic() - began:.1f} s ({usage.ru_utime + usage.ru_stime:.1f} of "
              f"processor, {usage.ru_maxrss / 1024:.0f} MiB), {os.path.getsize(page) / 1e6:.1f} MB")
        loads, drawn = [], []
        for _ in range(int(times)):
            with Browser() as browser:
                browser.size(1600)
                browser.open("file://" + page)
                browser.wait("document.documentElement.dataset.ready === 'yes'")
                loads.append(browser.ask("performance.getEntriesByType('navigation')[0].loadEventEnd"))
                drawn.append(browser.ask(DRAWN))
        for name, one in (("load event", loads), ("drawn", drawn)):
            one.sort()
            print(f"{name}: least {one[0]:.0f} ms, median {one[len(one) // 2]:.0f}, most {one[-1]:.0f}")


main(*sys.argv[1:])
