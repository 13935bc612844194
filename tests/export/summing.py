"""Formats that readers add up, or that hold rows: sums by call, how many are said to be lost, what is said to be
missing, and names. Beside readers.py, which has those that tell of each call; a function a format."""
import collections
import json
import os
import re
import subprocess
import sys
from decimal import Decimal
from types import SimpleNamespace

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "views"))
from flamegraph import LINE, drawn  # noqa: E402
from harness import faults as found_by_readers, node, node_modules  # noqa: E402


def added(rows, names=(), lost=None, missing=()):
    """rows: name, result or None, ns or None where the call did not come back."""
    sums = {field: collections.Counter() for field in ("calls", "errors", "ns_total")}
    for name, result, ns in rows:
        if ns is not None:
            sums["calls"][name] += 1
            sums["errors"][name] += -4096 < int(result) < 0
            sums["ns_total"][name] += int(ns)
    return SimpleNamespace(sums=sums, names=set(names), lost=lost, missing=set(missing))


def folded(it, file):
    told = added([])
    del told.sums["errors"]
    for by, field, unit in (("count", "calls", "calls"), ("time", "ns_total", "ns")):
        it.house.sctrace("export", "--to", "folded", "--by", by, "-o", file, it.trace)
        with open(file, encoding="utf-8") as lines:
            for line in lines:
                stack, weight = LINE.match(line).groups()
                *outer, call = stack.split(";")
                told.names.update(outer)
                if call.startswith("["):
                    told.missing.add(call)
                    told.lost = int(weight) if by == "count" else told.lost
                else:
                    told.sums[field][call] += int(weight)
        if any(told.sums[field].values()):  # with nothing to draw it says so
            boxes, _ = drawn(file, unit)
            it.equal(f"flamegraph.pl's {unit}", told.sums[field],
                     {call: boxes.get(call, 0) for call in told.sums[field]})
    return told


def speedscope(it, file):
    with open(file, encoding="utf-8") as text:
        shown = json.load(text)
    names = [frame["name"] for frame in shown["shared"]["frames"]]
    told = added([], names, missing=shown["name"].split("; ")[1:])
    del told.sums["errors"]
    for profile, field in zip(shown["profiles"], ("ns_total", "calls")):
        for stack, weight in zip(profile["samples"], profile["weights"]):
            if names[stack[-1]] == "[calls lost]":
                told.lost = weight if field == "calls" else told.lost
            elif not names[stack[-1]].startswith("["):
                told.sums[field][names[stack[-1]]] += weight
    return told


def pprof(it, file):
    told = added([])
    del told.sums["errors"]
    raw = it.said("go", "tool", "pprof", "-raw", file)
    for calls, ns, call in re.findall(r"^ *(\d+) +(\d+) +\d+: [\d ]+\n *process:[^\0]*? syscall:\[(.*)\] thread:", raw,
                                      re.M):
        if call == "[calls lost]":
            told.lost = int(calls)
        elif not call.startswith("["):
            told.sums["calls"][call] += int(calls)
            told.sums["ns_total"][call] += int(ns)
    told.missing.update(it.said("go", "tool", "pprof", "-comments", file).split("\n"))
    strings = subprocess.run(f"zcat {file} | protoc --decode_raw", shell=True, capture_output=True, text=True).stdout
    told.names = {one.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")
                  for one in re.findall(r'^6: "(.*)"$', strings, re.M)}
    return told


def prometheus(it, file):
    told = added([])
    with open(file, "rb") as text:
        done = subprocess.run(["promtool", "check", "metrics"], stdin=text, capture_output=True, timeout=60)
    it.check("promtool finds nothing", done.returncode == 0 and not done.stderr.strip(), done)
    with open(file, encoding="utf-8") as text:
        for name, labels, value in re.findall(r"^(\w+)\{(.*)\} (\S+)$", text.read(), re.M):
            label = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels))
            told.names.add(label.get("program", ""))
            if name == "sctrace_missing_total":
                told.lost = int(value) if label["what"] == "lost" else told.lost
                told.missing |= {label["what"]} if int(value) else set()
            elif name.endswith("_count"):
                told.sums["calls"][label["syscall"]] += int(value)
            elif name.endswith("_sum"):
                told.sums["ns_total"][label["syscall"]] += int(Decimal(value) * 10**9)
            elif name.endswith("errors_total"):
                told.sums["errors"][label["syscall"]] += int(value)
    return told


def sqlite(it, file):
    def query(text):
        return [tuple(row.values()) for row in json.loads(it.said("sqlite3", "-json", file, text) or "[]")]
    it.check("the database is whole", it.said("sqlite3", file, "PRAGMA integrity_check").strip() == "ok")
    missing = dict(query("SELECT name, count FROM missing"))
    return added(query("SELECT name, result, ns FROM call"),
                 [one for row in query("SELECT path, text FROM call") for one in row], missing.get("lost", 0), missing)


def parquet(it, file):
    found = node(node_modules("hyparquet", "hyparquet-compressors"), """
import { parquetReadObjects, parquetMetadata } from "hyparquet"; import { compressors } from "hyparquet-compressors";
import fs from "fs";
const bytes = fs.readFileSync(process.argv[2]);
const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
const rows = await parquetReadObjects({file, compressors});
console.log(JSON.stringify({rows, remarks: parquetMetadata(file).key_value_metadata},
                           (_, value) => typeof value === "bigint" ? Number(value) : value));
""", os.path.abspath(file))
    missing = {one["key"].removeprefix("sctrace.missing."): int(one["value"]) for one in found["remarks"]
               if one["key"].startswith("sctrace.missing.") and one["key"] != "sctrace.missing.places"}
    rows = found["rows"]
    return added([(row["name"], row["result"], row["dur_ns"]) for row in rows],
                 [row[key] for row in rows for key in ("path", "text", "program")], missing.get("lost", 0), missing)


def pcapng(it, file):
    """Sockets only, so no sums; what is missing is said of the file, whatever was carried."""
    text = it.said("tshark", "-r", file, "-T", "fields", "-e", "frame.comment",
                   env={**os.environ, "HOME": it.path("home"), "LC_ALL": "C.UTF-8"})
    counted = re.findall(rb"calls lost for want of room: (\d+)|(\d+) calls lost", open(file, "rb").read())
    told = added([], [text], int(counted[0][0] or counted[0][1]) if counted else 0)
    told.sums, told.missing = {}, set(re.findall(rb"gaps? of unknown length", open(file, "rb").read()))
    return told


def json_lines(it, file):
    with open(file, encoding="ascii") as text:
        lines = [json.loads(line) for line in text]
    calls = [one for one in lines if one["type"] == "call"]
    return added([(one["name"], one.get("result"), one.get("duration_ns")) for one in calls],
                 [argument.get("text") for one in calls for argument in one["args"]],
                 sum(one["calls"] or 0 for one in lines if one["type"] == "lost"),
                 [name for name, count in lines[-1].items() if count and name != "type"])


def report(it, file):
    with open(file, encoding="utf-8") as text:
        data = json.loads(text.read().split('type="application/json">')[1].split("</script>")[0])
    told = added([], [call[4] for thread in data["threads"] for call in thread["kept"]],
                 sum(one[2] for one in data["missing"] if one[0] == "lost"), [one[0] for one in data["missing"]])
    for field in told.sums:
        told.sums[field].update({row["name"]: row[field] for row in data["syscalls"]})
    return told
