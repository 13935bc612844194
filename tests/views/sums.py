"""summary and diff, held against themselves, each other and strace."""
import json
import re
import shutil

from flamegraph import differential, drawn
from harness import check, equal, said


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
    processor(views)
    views.sctrace("summary", "--interval", "1", views.trace, status=2)


def processor(views):
    """What the kernel told of the guest when it was waited for, less what came behind its last call."""
    run, all_of_it = views.summary["run"], views.processor_ns
    check("each process told its processor time", run["processes_cpu"] == run["processes"] == 2, run)
    check("it is the kernel's", 0.5 * all_of_it < run["ns_cpu"] <= 1.01 * all_of_it + 10**6, (run, all_of_it))
    said = re.search(r"^run: .*, ([\d.]+) s of processor time; ", views.sctrace("summary", views.trace), re.M)
    check("and said", said and round(float(said.group(1)) * 1e6) == round(run["ns_cpu"] / 1e3), said)
    killed = views.house.path("killed")
    views.house.run(["sh", "-c", "ls /; kill -9 $$"], views.house.environment("auto", killed), views.house.root)
    said = views.sctrace("summary", killed)
    check("of one that was killed nobody knows it", " in 2 processes, " in said and " in 1 of them; " in said, said)


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
    gone = [one["name"] for one in found["gone_peers"]]
    check("peers that are gone are named", any(name.startswith("tcp 127.0.0.1:") for name in gone), gone)
    for wrong, word in (("p98>+10%", "no column `p98`"), ("p99>+10", "column p99 is a time"),
                        ("calls>3ms", "column calls is a number"),
                        ("p99", "no < or >"), ("p99>x%", "column p99 is no number")):
        done = views.house.sctrace("diff", "--fail-on", wrong, views.trace, ls)
        check(f"`{wrong}` is refused", done.returncode == 2 and word in done.stderr.decode(), done)
    views.sctrace("diff", "--folded", views.house.path("pair"), "--by", "count", views.trace, other)
    sides, files = [], [views.house.path(f"pair.{side}.folded") for side in "ab"]
    for file in files:
        stacks = {}
        for line in open(file, errors="surrogateescape"):
            stack, n = line.rstrip("\n").rsplit(" ", 1)
            check("difffolded.pl takes each line", re.match(r"^\d+$", n) and stack not in stacks, line)
            stacks[stack] = int(n)
        sides.append(stacks)
    check("both have the same stacks", len(sides[0].keys() & sides[1].keys()) > 0.8 * len(sides[0]), sides)
    check("they come to the calls", sum(sides[0].values()) == views.summary["total"]["calls"])
    differential(*files, views.house.path("differential"))
    boxes, titles = drawn(views.house.path("differential"), "calls")
    check("flamegraph.pl's differential is as wide as the second", boxes["all"] == sum(sides[1].values()), titles[:3])
    check("it is coloured by what changed", sum("%; " in title for title in titles) == len(titles) - 1, titles[:5])
