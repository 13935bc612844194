"""The report's page in a browser: nothing in the console, nobody asked, summary's figures, and all
that it can do done by keyboard and script. SCTRACE_PICTURES=DIR keeps screenshots."""
import os
import sys

from browser import Browser
from harness import check, equal, need_programs


def figures(browser):
    return browser.ask("""[...document.querySelectorAll("#table tbody tr")].map((line) =>
        [...line.children].map((cell) => cell.dataset.value))""")


def tables(browser, views):
    rows = figures(browser)
    places = {1: "calls", 2: "errors", 3: "ns_total", 5: "ns_p50", 7: "ns_p99", 9: "ns_max", 10: "bytes"}
    for place, field in places.items():
        equal(f"the page's {field}", {name: row[field] for name, row in views.rows.items()},
              {row[0]: int(row[place]) for row in rows})
    times = [int(row[3]) for row in rows]
    check("the longest time comes first", times == sorted(times, reverse=True), times)
    browser.click('[data-key="calls"]')
    rows = figures(browser)
    calls = [int(row[1]) for row in rows]
    check("a click sorts by calls", calls == sorted(calls, reverse=True), calls)
    browser.click('[data-key="calls"]')
    check("another the other way", [int(row[1]) for row in figures(browser)] == sorted(calls))
    browser.ask("document.getElementById('only').focus()")
    for key in "getppid":
        browser.key(key)
    check("rows are narrowed by typing", [row[0] for row in figures(browser)] == ["getppid"], figures(browser))
    browser.ask("at('only').value = ''; at('only').dispatchEvent(new Event('input'))")
    browser.click('[data-tab="path"]')
    check("files are listed", any(row[0] == "/etc/passwd" for row in figures(browser)))
    browser.click('[data-tab="errno"]')
    equal("errors", views.summary["total"]["errors_by"], {row[0]: int(row[1]) for row in figures(browser)})
    browser.click('[data-tab="syscall"]')


def timeline(browser):
    browser.ask("lanes.view(0, wall); document.getElementById('lanes').focus()")
    for key in ("+", "+", "ArrowRight"):
        browser.key(key)
    begin, end = browser.ask("lanes.range")
    check("keys zoom and move", begin > 0 and end - begin < browser.ask("wall") / 3, (begin, end))
    waited = browser.ask("""data.threads.flatMap((one) => one.kept).map(
        (call) => [data.names[call[2]][0], call[1], Boolean(call[3] & 2)])""")
    check("sleeps wait, and a poll or a read that took long", {"clock_nanosleep", "poll"} <= {
        name for name, _, waits in waited if waits}, waited[:20])
    check("a stat does not, nor a short write", not any(
        waits for name, ns, waits in waited if name == "newfstatat" or (name == "sendto" and 0 <= ns < 50000)))
    returns = [ns for name, ns, _ in waited if name == "rt_sigreturn"]
    check("what leaves a handler does not hang", -1 not in returns, returns)
    browser.key("0")
    check("0 shows all", browser.ask("lanes.range[1] - lanes.range[0] === wall"))
    browser.key("n")
    shown = browser.ask("document.getElementById('call').textContent")
    check("a call is read out as print shows it", "(" in shown and " = " in shown, shown)
    drawn = browser.ask("""new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
        const c = document.getElementById("lanes"), p = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
        const seen = new Set(); for (let i = 0; i < p.length; i += 4) seen.add(p[i] << 16 | p[i + 1] << 8 | p[i + 2]);
        done(seen.size); })))""")
    check("something is drawn", drawn > 10, drawn)


def amounts(browser):
    said = browser.ask("""[0, 999, 999.6, 1e3, 999600, 1e6, 59e9, 599e9, 600e9, 3600e9, 432000e9].map(duration)""")
    check("times are what people say", said == ["0 ns", "999 ns", "1000 ns", "1.00 µs", "1000 µs", "1.00 ms", "59.0 s",
                                                "599 s", "10.0 min", "1.00 h", "5.00 d"], said)
    said = browser.ask("[0, 1023, 1024, 1023.4 * 1024, 2 ** 40].map(bytes)")
    check("so are sizes", said == ["0 B", "1023 B", "1.00 KiB", "1023 KiB", "1.00 TiB"], said)


def flames(browser, views):
    equal_sum = browser.ask("[2, 3, 4].map((k) => flame.nodes[0].sum[k])")
    total = views.summary["total"]
    check("the flame graph's whole is the total", equal_sum == [total["calls"], total["ns_total"], total["bytes"]],
          (equal_sum, total))
    browser.ask("at('find').value = 'getppid'; at('find').dispatchEvent(new Event('input'))")
    found = int(browser.ask("at('found').dataset.value"))
    check("search sums what it finds", found == views.rows["getppid"]["ns_total"], found)
    browser.ask("at('find').value = ''; at('find').dispatchEvent(new Event('input'))")
    browser.ask("at('flames').focus()")
    for key in ("ArrowDown", "Enter"):
        browser.key(key)
    check("Enter goes into a frame", browser.ask("flame.root") > 0)
    browser.key("Escape")
    check("Escape comes out", browser.ask("flame.root") == 0)
    tones = browser.ask("flame.nodes.filter((one) => one.name === 'getppid').map((one) => one.tone)")
    kind = browser.ask("data.names.find((one) => one[0] === 'getppid')[1]")
    check("a call has its colour of the timeline", set(tones) == {f"--kind{kind}"}, tones)


MANY = """
import threading
threads = [threading.Thread(target=lambda: open("/etc/passwd").read(10)) for _ in range(300)]
for one in threads: one.start()
for one in threads: one.join()
"""


def many_threads(views, browser):
    """More lanes than any canvas could hold at once: the box scrolls, by keyboard, too."""
    trace, file = views.house.path("many"), views.house.path("many.html")
    ended = views.house.run([sys.executable, "-c", MANY], views.house.environment("auto", trace), views.house.root)
    check("threads end well", ended.status == 0, ended)
    views.sctrace("report", "-o", file, trace)
    browser.open("file://" + file)
    browser.wait("document.documentElement.dataset.ready === 'yes'")
    browser.ask("at('lanes').focus()")
    for _ in range(250):
        browser.key("ArrowDown")
    top, height, seen = browser.ask("""[at('lanes').parentElement.scrollTop, at('lanes').clientHeight,
        at('lanes').parentElement.scrollHeight]""")
    check("all lanes are there, few are drawn", height < 600 and seen >= 301 * 16, (height, seen))
    check("the chosen one is in sight", top <= 250 * 16 < top + height, (top, height))
    index = browser.ask("lanes.find(300, 250 * 16 + 8 - at('lanes').parentElement.scrollTop)?.index")
    check("the pointer finds the same", index == 250, index)


def report(views):
    need_programs(["chromium"])
    file = views.house.path("report.html")
    views.sctrace("report", "-o", file, views.trace)
    told = open(file).read().split('type="application/json">')[1].split("</script>")[0]
    check("the page without data is below 2 MB", os.path.getsize(file) < 2_000_000 + len(told))
    with Browser() as browser:
        browser.size(1600)
        browser.open("file://" + file)
        browser.wait("document.documentElement.dataset.ready === 'yes'")
        facts = browser.ask("""Object.fromEntries([...document.querySelectorAll("#facts dd")].map(
            (one) => [one.dataset.fact, one.dataset.value]))""")
        total, run = views.summary["total"], views.summary["run"]
        wanted = {"calls": total["calls"], "failed": total["errors"], "in calls": total["ns_total"],
                  "run": run["ns_wall"], "threads": run["threads"], "processes": run["processes"]}
        equal("the facts are summary's", wanted, {name: int(facts[name]) for name in wanted})
        amounts(browser)
        tables(browser, views)
        timeline(browser)
        flames(browser, views)
        names = browser.ask("""[...document.querySelectorAll("button, select, input, canvas")].filter((one) =>
            !(one.getAttribute("aria-label") || one.textContent.trim() || one.closest("label") || one.ariaHidden)
            ).map((one) => one.outerHTML)""")
        check("whatever can be used has a name", not names, names)
        described = browser.ask("""[...document.querySelectorAll("canvas[tabindex]")].map((one) =>
            document.getElementById(one.getAttribute("aria-describedby"))?.textContent.length > 50)""")
        check("each picture says how it is used", described == [True] * 3, described)
        for theme in ("light", "dark"):
            browser.theme(theme)
            for width in (400, 1600):
                browser.size(width)
                browser.ask("new Promise((done) => setTimeout(() => requestAnimationFrame(done), 50))")
                wide = browser.ask("document.documentElement.scrollWidth")
                check(f"nothing sticks out at {width}", wide <= width, wide)
                if os.environ.get("SCTRACE_PICTURES"):
                    browser.picture(os.path.join(os.environ["SCTRACE_PICTURES"], f"{theme}-{width}.png"))
        browser.theme("light")
        check("the console is silent", not browser.console, browser.console)
        asked = [url for url in browser.requests if not url.startswith(("file://" + file, "data:"))]
        check("nobody is asked", not asked, asked)
        many_threads(views, browser)
        check("the console is silent with many threads", not browser.console, browser.console)
