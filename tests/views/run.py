"""run.py BUILD READER: the guest's trace in one form, read by a reader that is not ours. Counts and
times must be summary's, exactly."""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import House, need_programs, skip  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv[1])
faults = []


def check(sentence, truth, seen=""):
    if not truth:
        faults.append(sentence)
        print("FAILED:", sentence, str(seen)[:1500])


def equal(sentence, ours, theirs):
    differs = {key: (ours.get(key), theirs.get(key)) for key in ours.keys() | theirs.keys()
               if ours.get(key) != theirs.get(key)}
    check(sentence + " (summary, reader)", not differs, differs)


def said(argv, **options):
    done = subprocess.run(argv, capture_output=True, timeout=300, stdin=subprocess.DEVNULL, **options)
    check(f"{argv[0]} ends well", done.returncode == 0, done)
    return done.stdout.decode(errors="replace")


class Views:
    def __init__(self, house):
        self.house = house
        self.trace = self.record("trace")
        self.summary = json.loads(self.sctrace("summary", "--json", self.trace))
        self.rows = {row["name"]: row for row in self.summary["syscalls"] if row["calls"]}

    def record(self, name, more=()):
        trace = self.house.path(name)
        ended = self.house.run([sys.executable, os.path.join(HERE, "guest.py"), *more],
                               self.house.environment("auto", trace, SCTRACE_STRSIZE="all"),
                               self.house.root)
        check("the guest ends well", ended.status == 0, ended)
        return trace

    def sctrace(self, *arguments, status=0):
        done = self.house.sctrace(*arguments)
        check(f"sctrace {arguments[0]} ends with {status}", done.returncode == status, done)
        return done.stdout.decode(errors="surrogateescape")

    def export(self, form, *more):
        file = self.house.path("out." + form)
        self.sctrace("export", "--to", form, "-o", file, *more, self.trace)
        return file

    def column(self, name):
        return {call: row[name] for call, row in self.rows.items() if row[name]}


def node_modules(*packages):
    """npm's, in the build folder. Skips where they can't be had."""
    need_programs(["node", "npm"])
    folder = os.path.join(BUILD, "tests", "views")
    os.makedirs(folder, exist_ok=True)
    lacking = [one for one in packages if not os.path.isdir(os.path.join(folder, "node_modules", one))]
    if lacking:
        done = subprocess.run(["npm", "install", "--no-fund", "--no-audit", "--prefix", folder, *lacking],
                              capture_output=True, text=True, timeout=500)
        if done.returncode:
            skip("npm has no " + " ".join(lacking) + ": " + done.stderr[-300:])
    return folder


def node(folder, program, *arguments):
    script = os.path.join(folder, "run.mjs")
    with open(script, "w") as file:
        file.write(program)
    return json.loads(said(["node", script, *arguments], cwd=folder))


def summary(views):
    total, rows = views.summary["total"], views.summary["syscalls"]
    for field in ("calls", "errors", "bytes", "ns_total"):
        check(f"the rows' {field} come to the total's", sum(row[field] for row in rows) == total[field])
    check("errors by errno come to the errors", sum(total["errors_by"].values()) == total["errors"], total)
    for row in views.rows.values():
        order = [row[key] for key in ("ns_min", "ns_p50", "ns_p90", "ns_p99", "ns_p999", "ns_max")]
        check(f"quantiles of {row['name']} rise", order == sorted(order), row)
    for key in ("thread", "process", "fd", "path", "peer", "errno"):
        other = json.loads(views.sctrace("summary", "--by", key, "--json", views.trace))
        check(f"by {key} the total is the same",
              {**other["total"]} == {**total, "name": other["total"]["name"]}, other["total"])
        if key in ("thread", "process", "fd", "errno", "peer"):
            check(f"the rows by {key} come to the total's",
                  sum(row["calls"] for row in other["rows"]) == total["calls"])
        if key == "errno":
            equal("calls by errno", total["errors_by"],
                  {row["name"]: row["calls"] for row in other["rows"] if row["name"] != "-"})
        if key == "path":
            passwd = [row for row in other["rows"] if row["name"] == "/etc/passwd"]
            check("each stat of a file is in its row", passwd and passwd[0]["calls"] >= 600, passwd)
        if key == "peer":
            check("the server is a peer", any(re.match(r"tcp 127\.0\.0\.1:\d+$", row["name"])
                                              for row in other["rows"]), other["rows"])
        if key == "process":
            check("the child has a row", any(row["name"].endswith(" ls") for row in other["rows"]), other["rows"])
    lines = [json.loads(line) for line in views.sctrace("summary", "--json", "--interval", "10ms",
                                                        views.trace).splitlines()]
    for field in ("calls", "errors", "bytes", "ns_total"):
        check(f"the intervals' {field} come to the total's",
              sum(line["total"][field] for line in lines) == total[field])
    histogram = json.loads(views.sctrace("summary", "--json", "--histogram", views.trace))
    check("a histogram holds each call once", all(
        sum(n for _, n in row.get("histogram", [])) == row["calls"] for row in histogram["syscalls"]))
    strace_form(views)
    check("a wrong interval is refused", views.house.sctrace("summary", "--interval", "1", views.trace).returncode == 2)


def strace_form(views):
    """Line for line as strace writes it: the same rule, the same widths, the same columns."""
    ours = views.sctrace("summary", "-c", views.trace).splitlines()
    if shutil.which("strace"):
        file = views.house.path("strace.out")
        said(["strace", "-f", "-c", "-w", "-o", file, "ls", "/"])
        theirs = open(file).read().splitlines()
        check("head and rule are strace's", ours[:2] == theirs[:2] and ours[-2] == theirs[-2], ours[:2])
    form = re.compile(r"^ *\d+\.\d\d +\d+\.\d{6} +\d+ +\d+ +(\d+)? ?\S+$")
    for line in ours[2:-2]:
        check("a line is strace's", form.match(line) and line[6] == " " and line[18] == " ", line)
    check("the last line is the total", ours[-1].startswith("100.00 ") and ours[-1].endswith(" total"), ours[-1])


def folded(views):
    """flamegraph.pl: `^(.*)\\s+?(\\d+(?:\\.\\d*)?)$`, frames apart by semicolons."""
    for by, field in (("time", "ns_total"), ("count", "calls"), ("bytes", "bytes")):
        sums = {}
        for line in open(views.export("folded", "--by", by), errors="surrogateescape"):
            match = re.match(r"^(.*)\s+?(\d+(?:\.\d*)?)$", line)
            check("flamegraph.pl takes each line", match, line)
            call = match.group(1).split(";")[-1]
            sums[call] = sums.get(call, 0) + int(match.group(2))
        equal(f"folded by {by}", views.column(field), {call: n for call, n in sums.items() if n})


def speedscope(views):
    from browser import Browser
    folder = node_modules("speedscope", "ajv")
    file = views.export("speedscope")
    valid = node(folder, """
import Ajv from "ajv"; import fs from "fs";
const schema = JSON.parse(fs.readFileSync("node_modules/speedscope/dist/release/file-format-schema.json"));
const good = new Ajv({strict: false}).compile(schema);
console.log(JSON.stringify([good(JSON.parse(fs.readFileSync(process.argv[2]))), good.errors]));
""", file)
    check("speedscope's schema holds", valid[0], valid)
    shown = json.load(open(file))
    for profile, field in zip(shown["profiles"], ("ns_total", "calls", "bytes")):
        sums = {}
        for stack, weight in zip(profile["samples"], profile["weights"]):
            call = shown["shared"]["frames"][stack[-1]]["name"]
            sums[call] = sums.get(call, 0) + weight
        equal(f"speedscope's {field}", views.column(field), {call: n for call, n in sums.items() if n})
    need_programs(["chromium"])
    loader = views.house.path("load.js")
    import base64
    with open(loader, "w") as to:
        to.write("speedscope.loadFileFromBase64('out.json', '%s')" % base64.b64encode(open(file, "rb").read()).decode())
    with Browser() as browser:
        page = os.path.join(folder, "node_modules/speedscope/dist/release/index.html")
        browser.open(f"file://{page}#localProfilePath={loader}")
        browser.wait("document.body.innerText.includes('time in calls')")
        check("speedscope shows three profiles", "(1/3)" in browser.ask("document.body.innerText"),
              browser.ask("document.body.innerText"))


def pprof(views):
    need_programs(["go"])
    file = views.export("pprof")
    for index, field in (("calls", "calls"), ("time", "ns_total"), ("bytes", "bytes")):
        out = said(["go", "tool", "pprof", "-tags", "-tagshow=syscall", "-sample_index=" + index, "-unit=minimum", file])
        check(f"pprof shows tags by {index}", "syscall" in out, out)
    raw = said(["go", "tool", "pprof", "-raw", file])
    sums = {}
    for numbers, tags in re.findall(r"^ *(\d+ +\d+ +\d+): [\d ]+\n((?: +\w+:\[.*\n)+)", raw, re.M):
        call = re.search(r"syscall:\[(.*?)\]", tags)
        check("each sample has its call", call, tags)
        values = [int(n) for n in numbers.split()]
        sums[call.group(1)] = [a + b for a, b in zip(sums.get(call.group(1), [0, 0, 0]), values)]
    for place, field in enumerate(("calls", "ns_total", "bytes")):
        equal(f"pprof's {field}", views.column(field), {call: n[place] for call, n in sums.items() if n[place]})
    top = said(["go", "tool", "pprof", "-top", "-sample_index=calls", file])
    check("pprof -top knows the total", f"{views.summary['total']['calls']} total" in top, top)
    check("pprof focuses on a call", "getppid" in said(["go", "tool", "pprof", "-top", "-sample_index=calls",
                                                        "-tagfocus=syscall=getppid", file]))


def prometheus(views):
    need_programs(["promtool"])
    file = views.export("prometheus")
    text = open(file).read()
    done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60)
    check("promtool finds nothing", done.returncode == 0 and not done.stderr.strip(), done)
    calls, times, errors = {}, {}, {}
    from decimal import Decimal
    for name, labels, value in re.findall(r"^(\w+)\{(.*)\} (\S+)$", text, re.M):
        call = re.search(r'syscall="(.*?)"', labels)
        if name.endswith("_count"):
            calls[call.group(1)] = calls.get(call.group(1), 0) + int(value)
        elif name.endswith("_sum"):
            times[call.group(1)] = times.get(call.group(1), 0) + int(Decimal(value) * 10**9)
        elif name.endswith("errors_total"):
            errors[call.group(1)] = errors.get(call.group(1), 0) + int(value)
    equal("Prometheus' counts", views.column("calls"), calls)
    equal("Prometheus' sums", views.column("ns_total"), {call: n for call, n in times.items() if n})
    equal("Prometheus' errors", views.column("errors"), errors)


def sqlite(views):
    need_programs(["sqlite3"])
    file = views.export("sqlite")

    def query(text):
        return json.loads(said(["sqlite3", "-json", file, text]) or "[]")

    check("the database is whole", said(["sqlite3", file, "PRAGMA integrity_check"]).strip() == "ok")
    rows = query("SELECT name, calls, errors, CAST(ns AS INTEGER) AS ns, bytes FROM summary WHERE calls")
    for field, column in (("calls", "calls"), ("errors", "errors"), ("ns_total", "ns"), ("bytes", "bytes")):
        equal(f"SQLite's {field}", views.column(field), {row["name"]: row[column] for row in rows if row[column]})
    for row in query("SELECT * FROM latency"):
        ours = views.rows[row["name"]]
        for theirs, mine in (("p50", "ns_p50"), ("p90", "ns_p90"), ("p99", "ns_p99"), ("p999", "ns_p999")):
            check(f"{theirs} of {row['name']} is within 1 %", row[theirs] <= ours[mine] <= row[theirs] * 1.01 + 1,
                  (row, ours))
    failures = query("SELECT error, sum(calls) AS calls FROM failures GROUP BY error")
    equal("SQLite's failures", views.summary["total"]["errors_by"], {row["error"]: row["calls"] for row in failures})
    check("a name that is no UTF-8 is readable", query("SELECT 1 FROM call WHERE path LIKE '%no utf8 \\xff\\xfe'"))
    check("the plan uses an index", "USING" in said(["sqlite3", file, "EXPLAIN QUERY PLAN SELECT sum(ns) FROM call WHERE name='read'"]))
    check("children are known", query("SELECT 1 FROM life WHERE kind='process'"))


def parquet(views):
    folder = node_modules("@duckdb/node-api", "hyparquet", "hyparquet-compressors")
    file = views.export("parquet")
    duck, hypa, types, remarks = node(folder, """
import { DuckDBInstance } from "@duckdb/node-api"; import * as h from "hyparquet";
import { compressors } from "hyparquet-compressors"; import fs from "fs";
const file = process.argv[2];
const to = await (await DuckDBInstance.create(":memory:")).connect();
const ask = async (text) => (await to.runAndReadAll(text)).getRowObjectsJson();
const duck = await ask(`select name, count(dur_ns)::int calls, count(errno)::int errors, sum(dur_ns)::bigint ns_total,
  sum(bytes)::bigint bytes, quantile_disc(dur_ns, 0.5)::bigint p50, quantile_disc(dur_ns, 0.99)::bigint p99, max(dur_ns)::bigint most
  from '${file}' group by name`);
const types = await ask(`describe select * from '${file}'`);
const remarks = await ask(`select key::varchar k, value::varchar v from parquet_kv_metadata('${file}')`);
const bytes = fs.readFileSync(file);
const rows = await h.parquetReadObjects({file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength), compressors});
const hypa = {};
for (const row of rows) {
  const one = hypa[row.name] ??= {calls: 0, errors: 0, ns_total: 0, bytes: 0};
  if (row.dur_ns !== null && row.dur_ns !== undefined) { one.calls += 1; one.ns_total += Number(row.dur_ns); }
  if (row.errno) one.errors += 1;
  one.bytes += Number(row.bytes);
}
console.log(JSON.stringify([duck, hypa, types, remarks]));
""", file)
    for field in ("calls", "errors", "ns_total", "bytes"):
        equal(f"DuckDB's {field}", views.column(field), {row["name"]: int(row[field]) for row in duck if int(row[field] or 0)})
        equal(f"hyparquet's {field}", views.column(field), {name: row[field] for name, row in hypa.items() if row[field]})
    for row in duck:
        ours = views.rows.get(row["name"])
        for theirs, mine in (("p50", "ns_p50"), ("p99", "ns_p99")) if ours else ():
            check(f"DuckDB's {theirs} of {row['name']} is within 1 %",
                  int(row[theirs]) * 0.99 - 1 <= ours[mine] <= int(row[theirs]) * 1.01 + 1, (row, ours))
        check("the longest is the same", not ours or int(row["most"]) == ours["ns_max"], (row, ours))
    check("times are times", {one["column_name"]: one["column_type"] for one in types}["ts"].startswith("TIMESTAMP"), types)
    check("the file says what is missing", any(one["k"].startswith("sctrace.") for one in remarks), remarks)


def pcapng(views):
    need_programs(["tshark", "capinfos"])
    file = views.export("pcapng")

    def tshark(*arguments):
        return said(["tshark", "-r", file, *arguments], env={**os.environ, "HOME": views.house.root})

    info = said(["capinfos", "-M", file])
    check("capinfos takes it", "pcapng" in info, info)
    requests = tshark("-Y", "http.request", "-T", "fields", "-e", "http.request.uri").split()
    check("each request is dissected once", sorted(requests) == [f"/page{n}" for n in range(5)], requests)
    answers = tshark("-Y", "http.response", "-T", "fields", "-e", "http.response.code", "-e", "http.time").split("\n")
    check("each answer has its time", len([one for one in answers if re.match(r"200\t\d", one)]) == 5, answers)
    check("a stream is followed", "hello hello" in tshark("-q", "-z", "follow,tcp,ascii,0"))
    bad = tshark("-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE",
                 "-Y", "tcp.checksum.status==0 || ip.checksum.status==0 || udp.checksum.status==0 || tcp.analysis.flags || _ws.malformed")
    check("no packet is wrong", not bad.strip(), bad)
    comments = tshark("-T", "fields", "-e", "frame.comment", "-Y", "http.request")
    check("the comment is the call", re.search(r"sendto\(|write\(|send", comments) and "GET /page" in comments, comments)
    check("a datagram is there", "datagram" in tshark("-Y", "udp", "-T", "fields", "-e", "udp.payload").strip() or
          b"datagram".hex() in tshark("-Y", "udp", "-T", "fields", "-e", "udp.payload"))
    check("a pair of local sockets is there", ("78" * 100) in tshark("-T", "fields", "-e", "data.data").replace(":", ""))
    check("interfaces are processes", "python" in info or "python" in said(["capinfos", file]))


def diff(views):
    other = views.record("other", ())
    same = views.sctrace("diff", views.trace, views.trace)
    check("a trace does not differ from itself", "*" not in same.split("\n\n")[1].replace("* is more", ""), same)
    views.sctrace("diff", "--fail-on", "p99>+10%", "--fail-on", "calls>+0", views.trace, views.trace)
    found = json.loads(views.sctrace("diff", "--json", views.trace, other))
    check("both sides are summary's", found["total"]["a"]["calls"] == views.summary["total"]["calls"] and
          {row["name"]: row["a"]["ns_total"] for row in found["syscalls"] if row["a"]["calls"]} ==
          {row["name"]: row["ns_total"] for row in views.rows.values()}, found["total"])
    check("ports and processes make no peer new", not found["new_peers"], found["new_peers"])
    ls = views.house.path("ls")
    ended = views.house.run(["ls", "/"], views.house.environment("auto", ls), views.house.root)
    check("ls ends well", ended.status == 0, ended)
    views.sctrace("diff", "--fail-on", "calls<-50%", views.trace, ls, status=1)
    views.sctrace("diff", "--fail-on", "total:calls>+50%", views.trace, ls)
    found = json.loads(views.sctrace("diff", "--json", views.trace, ls))
    check("files that are gone are named", "/nowhere" in [one["name"] for one in found["gone_paths"]])
    check("peers that are gone are named", any(one["name"].startswith("tcp 127.0.0.1:") for one in found["gone_peers"]))
    for wrong, word in (("p98>+10%", "no column `p98`"), ("p99>+10", "column p99 is a time"), ("calls>3ms", "column calls is a number"),
                        ("p99", "no < or >"), ("p99>x%", "column p99 is no number")):
        done = views.house.sctrace("diff", "--fail-on", wrong, views.trace, ls)
        check(f"`{wrong}` is refused", done.returncode == 2 and word in done.stderr.decode(), done)
    views.sctrace("diff", "--folded", views.house.path("pair"), "--by", "count", views.trace, other)
    sides = []
    for side in "ab":
        stacks = {}
        for line in open(views.house.path(f"pair.{side}.folded"), errors="surrogateescape"):
            stack, n = line.rstrip("\n").rsplit(" ", 1)
            check("difffolded.pl takes each line", re.match(r"^\d+$", n) and stack not in stacks, line)
            stacks[stack] = int(n)
        sides.append(stacks)
    check("both have the same stacks", len(sides[0].keys() & sides[1].keys()) > 0.8 * len(sides[0]), sides)
    check("they come to the calls", sum(sides[0].values()) == views.summary["total"]["calls"])


def report(views):
    need_programs(["chromium"])
    from report_test import test
    test(views, check, equal)


with House(BUILD) as house:
    views = Views(house)
    if not faults:
        globals()[sys.argv[2]](views)
print(f"{len(faults)} failed" if faults else "all as expected")
sys.exit(bool(faults))
