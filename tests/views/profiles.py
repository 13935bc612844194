"""What profilers read: flamegraph.pl, speedscope, pprof, Prometheus."""
import base64
import json
import os
import re
import subprocess
from decimal import Decimal

from browser import Browser
from flamegraph import LINE, drawn
from harness import check, equal, need_programs, node, node_modules, said


def folded(views):
    for by, field, unit in (("time", "ns_total", "ns"), ("count", "calls", "calls"), ("bytes", "bytes", "bytes")):
        sums, file = {}, views.export("folded", "--by", by)
        for line in open(file, errors="surrogateescape"):
            match = LINE.match(line)
            check("flamegraph.pl takes each line", match, line)
            call = match.group(1).split(";")[-1]
            sums[call] = sums.get(call, 0) + int(match.group(2))
        equal(f"folded by {by}", views.column(field), {call: n for call, n in sums.items() if n})
        boxes, titles = drawn(file, unit)
        equal(f"flamegraph.pl by {by}", views.column(field), {call: boxes[call] for call in views.column(field)})
        check("flamegraph.pl's whole is the total", boxes["all"] == views.summary["total"][field], titles[:3])


def speedscope(views):
    folder = node_modules("speedscope", "ajv")
    file = views.export("speedscope")
    valid = node(folder, """
import Ajv from "ajv"; import fs from "fs";
const schema = JSON.parse(fs.readFileSync(
  "node_modules/speedscope/dist/release/file-format-schema.json"));
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
    with open(loader, "w") as to:
        text = base64.b64encode(open(file, "rb").read()).decode()
        to.write(f"speedscope.loadFileFromBase64('out.json', '{text}')")
    with Browser() as browser:
        page = os.path.join(folder, "node_modules/speedscope/dist/release/index.html")
        browser.open(f"file://{page}#localProfilePath={loader}")
        browser.wait("document.body.innerText.includes('time in calls')")
        check("speedscope shows three profiles", "(1/3)" in browser.ask("document.body.innerText"),
              browser.ask("document.body.innerText"))


def pprof(views):
    need_programs(["go"])
    file = views.export("pprof")
    for index in ("calls", "time", "bytes"):
        out = said(["go", "tool", "pprof", "-tags", "-tagshow=syscall", "-sample_index=" + index, file])
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
    without = views.house.path("without-getppid")
    views.sctrace("export", "--to", "pprof", "-e", "!getppid", "-o", without, views.trace)
    diff = said(["go", "tool", "pprof", "-raw", "-sample_index=calls", "-diff_base=" + without, file])
    count = sum(int(row.split()[0]) for row in re.findall(r"^ *(-?\d+ +-?\d+ +-?\d+): [\d ]+$", diff, re.M))
    check("pprof -diff_base leaves what is new", count == views.rows["getppid"]["calls"], (count, diff[:1500]))


def prometheus(views):
    need_programs(["promtool"])
    file = views.export("prometheus")
    text = open(file).read()
    done = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60)
    check("promtool finds nothing", done.returncode == 0 and not done.stderr.strip(), done)
    calls, times, errors = {}, {}, {}
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
