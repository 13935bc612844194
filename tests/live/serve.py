"""serve.py BUILD: `sctrace serve` says what the other verbs do, to curl, to Prometheus, to a browser, while
the program goes on; and nothing to whom it should not, or who does not speak plainly."""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request

from guest import Faults, Guest, House, comes, run
from serving import Server, browser_here, refused
from traced import need_programs


def answers(house, faults):
    guest, _ = run(house, "done", ["g 300", "n 20", "o 10"])
    server = Server(house, guest.trace)
    faults.expect(server.line == f"sctrace: serving {guest.trace} at http://127.0.0.1:{server.port}/\n", server.line)
    for key in ("syscall", "path", "thread", "errno"):
        ours = json.loads(house.sctrace("summary", "--json", "--by", key, "-S", "time", guest.trace).stdout)
        faults.expect(server.json(f"/api/summary?by={key}") == ours, f"/api/summary?by={key} is summary's")
    faults.expect("histogram" in server.json("/api/summary?histogram=1")["syscalls"][0], "with a histogram")
    ours = json.loads(house.sctrace("info", "--json", guest.trace).stdout)
    faults.expect(server.json("/api/info") == ours, "/api/info is info's")
    status, headers, text = server.get("/metrics")
    ours = house.sctrace("export", "--to", "prometheus", guest.trace).stdout.decode()
    faults.expect(status == 200 and text == ours, "/metrics is the export's")
    faults.expect(headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8", headers)
    if subprocess.run(["which", "promtool"], capture_output=True).returncode == 0:
        done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True)
        faults.expect(done.returncode == 0 and not done.stderr.strip(), done)
    calls(house, faults, server, guest)
    curl = subprocess.run(["curl", "-sSI", f"http://localhost:{server.port}/"], capture_output=True, text=True)
    faults.expect("200 OK" in curl.stdout and "default-src 'none'" in curl.stdout, curl)
    faults.expect(server.json("/api/state")["running"] is False, "the program has ended")
    faults.expect(server.end(signal.SIGINT) == (0, "", ""), "^C ends it well")


def calls(house, faults, server, guest):
    ours = [json.loads(line) for line in house.sctrace("print", "-f", "--json", guest.trace).stdout.splitlines()]
    ours = [one for one in ours if one["type"] == "call" and one["name"] == "openat"
            and one.get("error", {}) and "duration_ns" in one]
    query = urllib.parse.urlencode({"trace": "openat", "filter": 'errno==ENOENT', "limit": 5})
    theirs = server.json("/api/calls?" + query)
    faults.expect(theirs["matched"] >= 20 and len(theirs["calls"]) == 5, theirs)
    faults.expect(theirs["calls"] == ours[-5:], "/api/calls are print's", theirs["calls"][:1], ours[-5:-4])
    query = urllib.parse.urlencode({"filter": 'path=="/no/such/file"'})
    faults.expect(server.json("/api/calls?" + query)["matched"] == 20, "by path")
    for query in ("limit=0", "limit=x", "trace=nonsense", "filter=durr>1", "colour=red"):
        status, _, text = server.get("/api/calls?" + query)
        faults.expect(status == 400 and text.count("\n") == 1, query, status, text)


def rude(house, faults):
    guest, _ = run(house, "rude", ["g 10"])
    server = Server(house, guest.trace)

    def says(status, answer, *what):
        head, _, body = answer.partition(b"\r\n\r\n")
        faults.expect(head.startswith(b"HTTP/1.1 %d " % status) and body.count(b"\n") == 1, *what, answer[:300])

    host = b"Host: localhost\r\n\r\n"
    says(404, server.raw(b"GET /nowhere HTTP/1.1\r\n" + host), "what is not there")
    says(404, server.raw(b"GET /../../etc/passwd HTTP/1.1\r\n" + host), "nor any file")
    says(405, server.raw(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n" + host + b"x"), "only GET")
    for bad in (b"\0\xff\xfe\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9\r\n" + host, b"GET / HTTP/1.1\r\n\r\n",
                b"GET /%zz HTTP/1.1\r\n" + host, b"GET /%00 HTTP/1.1\r\n" + host, b"GET /?a=%2 HTTP/1.1\r\n" + host,
                b"GET / HTTP/1.1\r\nnonsense\r\n" + host, b"GET x HTTP/1.1\r\n" + host,
                b"GET / HTTP/1.1\r\n: x\r\n" + host, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + host,
                b"GET / HTTP/1.1\r\nX: " + b"x" * 20000 + b"\r\n" + host):
        says(400, server.raw(bad), bad[:40])
    for name in ("evil.example", f"evil.example:{server.port}", "127.evil.example", "", "[::1", "localhost.evil"):
        status, _, text = server.get("/", Host=name)
        faults.expect(status == 403 and text.count("\n") == 1, "Host", name, status, text[:100])
    for name in ("localhost", "127.0.0.1:9", "[::1]:80"):  # as through ssh -L
        faults.expect(server.get("/api/state", Host=name)[0] == 200, name)
    faults.expect(server.raw(b"GET /metr") == b"", "half a request has no answer")
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(100)]
    faults.expect(server.get("/metrics")[0] == 200, "with a hundred that say nothing")
    for one in idle:
        one.close()
    faults.expect(refused(house, "--port", str(server.port), guest.trace)[0] == 1, "a port that is taken")
    faults.expect(server.end()[0] == 0, "SIGTERM ends it well")
    for status, *arguments in ((1, "--listen", "nowhere", guest.trace), (1, house.path("none")),
                               (2, "--port", "99999", guest.trace), (2, "--token", "a b", guest.trace),
                               (2, "--token", "", guest.trace)):
        got, said = refused(house, *arguments)
        faults.expect(got == status and said.count("\n") == 1, arguments, got, said)


def tokens(house, faults):
    guest, _ = run(house, "tokens", ["g 10"])
    for arguments in (("--token", "s3cret-"), ("--listen", "0.0.0.0")):
        server = Server(house, *arguments, guest.trace)
        token = server.token
        faults.expect(token == "s3cret-" or re.fullmatch("[0-9a-f]{32}", token), server.line)
        for wrong in ("", "?token=", "?token=x", f"?token={token}x", f"?token={token[:-1]}", f"?Token={token}"):
            status, headers, text = server.get("/api/state" + wrong)
            faults.expect(status == 401 and "WWW-Authenticate" in headers and text.count("\n") == 1, wrong, text)
        faults.expect(server.get("/nowhere")[0] == 401, "nothing is told without")
        faults.expect(server.get("/api/state?token=" + token)[0] == 200, "in the query")
        faults.expect(server.get("/metrics", Authorization="Bearer " + token)[0] == 200, "in a header")
        faults.expect(server.end()[0] == 0, "the end")


def grows(house, faults):
    guest = Guest(house, "live")
    guest.tell("g 100")
    server = Server(house, str(guest.pid))

    def getppids():
        rows = server.json("/api/summary")["syscalls"]
        return next((row["calls"] for row in rows if row["name"] == "getppid"), 0)
    faults.expect(comes(lambda: getppids() == 100), "what is there", getppids())
    state = server.json("/api/state")
    faults.expect(state["running"] is True, state)
    guest.tell("g 50")
    faults.expect(server.json("/api/state")["stamp"] != state["stamp"], "another stamp")
    faults.expect(comes(lambda: getppids() == 150), "what came since", getppids())
    info = server.json("/api/info")
    faults.expect(info["clock"]["uncertain"] is False, "times are known while it runs", info["clock"])
    scraped(house, faults, server, guest)
    page(faults, server, guest)
    faults.expect(comes(lambda: not server.json("/api/state")["running"]), "and that it has ended")
    faults.expect(server.end()[0] == 0, "the end")


def scraped(house, faults, server, guest):
    """By Prometheus itself, which then knows the number of calls."""
    if subprocess.run(["which", "prometheus"], capture_output=True).returncode:
        return print("not shown, no prometheus here: a scrape")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with open(house.path("prometheus.yml"), "w") as file:
        file.write("scrape_configs:\n- job_name: sctrace\n  scrape_interval: 1s\n  scrape_timeout: 1s\n"
                   f"  static_configs:\n  - targets: ['127.0.0.1:{server.port}']\n")
    child = subprocess.Popen(["prometheus", "--config.file=" + house.path("prometheus.yml"),
                              "--storage.tsdb.path=" + house.path("tsdb"), f"--web.listen-address=127.0.0.1:{port}"],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    query = urllib.parse.urlencode({"query": 'sctrace_syscall_duration_seconds_count{syscall="getppid"}'})

    def known():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}") as answer:
                result = json.load(answer)["data"]["result"]
                return result and int(result[0]["value"][1])
        except OSError:
            return None
    faults.expect(comes(lambda: known() == 150), "Prometheus scrapes the calls", known())
    guest.tell("g 10")
    faults.expect(comes(lambda: known() == 160), "and those made since", known())
    child.terminate()
    child.wait()


def until(browser, expression):
    """A page that loads itself anew has, for a moment, nothing to say."""
    def holds():
        try:
            return browser.ask(expression)
        except AssertionError:
            return False
    if not comes(holds):
        raise AssertionError("never true: " + expression)


def page(faults, server, guest):
    calls_of = "data.syscalls.find((one) => one.name == 'getppid').calls"
    with browser_here() as browser:
        browser.open(f"http://127.0.0.1:{server.port}/")
        shown = browser.ask(calls_of)
        faults.expect(shown == 160, "the page has the calls", shown)
        browser.click('[data-tab="path"]')
        browser.ask("lanes.view(wall / 4, wall / 2)")
        before = browser.ask("lanes.range.map(Math.round)")
        guest.tell("g 7")
        until(browser, calls_of + " == 167")
        faults.expect(browser.ask("document.querySelector('[data-tab=path]').ariaSelected") == "true", "the same tab")
        faults.expect(browser.ask("lanes.range.map(Math.round)") == before, "and the same view", before)
        browser.click("#follow")
        guest.tell("g 3")
        until(browser, "document.getElementById('live').textContent.includes('There is more')")
        faults.expect(browser.ask(calls_of) == 167, "it keeps still when told to")
        browser.ask("document.querySelector('#live button').click()")
        until(browser, calls_of + " == 170")
        guest.end()
        browser.click("#follow")
        until(browser, "document.getElementById('live').textContent.includes('has ended. All')")
        elsewhere = [url for url in browser.requests
                     if not url.startswith((f"http://127.0.0.1:{server.port}/", "data:"))]
        faults.expect(not elsewhere, "nobody else is asked", elsewhere)
        faults.expect(not browser.console, "nothing in the console", browser.console)


def main(build):
    need_programs(["curl", "chromium"])
    faults = Faults()
    with House(os.path.abspath(build)) as house:
        for part in (answers, rude, tokens, grows):
            part(house, faults)
    return faults.status()


sys.exit(main(sys.argv[1]))
