"""Each format's calls as a reader finds them that is not ours: (name, result, ns) of each that came back,
and beside them what else it tells. One function a format."""
import collections
import json
import os
import re
import subprocess
from decimal import Decimal
from types import SimpleNamespace

KERNEL = {"newstat": "stat", "newfstat": "fstat", "newlstat": "lstat", "newuname": "uname",
          "sendfile64": "sendfile", "umount": "umount2"}


class Pairs:
    """Entries and exits of threads, in the order of time → whole calls. Handlers nest."""

    def __init__(self):
        self.open = collections.defaultdict(list)
        self.calls = []
        self.orphans = 0

    def enter(self, thread, what, when):
        self.open[thread].append((what, when))

    def leave(self, thread, what, when, result):
        stack = self.open[thread]
        while stack and stack[-1][0] != what:
            stack.pop()
        if not stack:
            self.orphans += 1
            return
        self.calls.append((what, result, when - stack.pop()[1]))


def chrome(it, file):
    with open(file) as text:
        trace = json.load(text, parse_float=Decimal)
    events = trace["traceEvents"]
    made = [one for one in events if one["ph"] == "X"]
    ended = [one for one in made if one["args"]["ret"] is not None]
    return SimpleNamespace(
        calls=[(one["name"], one["args"]["ret"], int(one["dur"] * 1000)) for one in ended],
        unfinished=len(made) - len(ended), made=made,
        names={one["args"]["name"] for one in events if one["name"] == "thread_name"},
        notes={one["name"] for one in events if one["ph"] == "i"},
        lost=sum(one["args"]["calls"] for one in events if one.get("cat") == "lost"),
        losses=trace["sctraceLosses"])


def numbers_of_calls(it):
    numbers = {}
    for line in it.said(it.house.command, "syscalls").splitlines():
        parts = line.split()
        if len(parts) > 1 and parts[0].isdigit():
            numbers[int(parts[0])] = re.match(r"\w+", parts[1]).group()
    return numbers


def of_number(numbers, text):
    found = re.match(r"(?:NR |__)?(-?\d+)\b", text)
    if found:
        return numbers.get(int(found.group(1)), f"syscall_{int(found.group(1)):#x}")
    return re.match(r"\w+", text).group()


def perf(it, file):
    numbers, pairs, names, signals = numbers_of_calls(it), Pairs(), set(), collections.Counter()
    for line in it.said("perf", "script", "-i", file, "--ns", "-F", "comm,pid,tid,time,event,trace").splitlines():
        found = re.match(r"\s*(.+?)\s+(-?\d+)/(-?\d+)\s+(\d+)\.(\d{9}):\s+(\w+):(\w+): (.*)", line)
        if not found:
            it.check("perf script says nothing but events", not line.strip(), line)
            continue
        name, _, tid, seconds, ns, _, event, rest = found.groups()
        when = int(seconds) * 10**9 + int(ns)
        names.add(name)
        if event == "sys_enter":
            pairs.enter(tid, of_number(numbers, rest), when)
        elif event == "sys_exit":
            pairs.leave(tid, of_number(numbers, rest), when, int(rest.rsplit("=", 1)[1]))
        else:
            signals[int(re.search(r"sig=(\d+)", rest).group(1))] += 1
    lost = it.said("perf", "script", "-i", file, "--show-lost-events")
    return SimpleNamespace(calls=pairs.calls, orphans=pairs.orphans, names=names, signals=signals,
                           unfinished=sum(map(len, pairs.open.values())),
                           lost=sum(map(int, re.findall(r"PERF_RECORD_LOST lost (\d+)", lost))))


def ctf(it, folder):
    pairs, names, events, files, lost = Pairs(), set(), set(), set(), 0
    text = it.said("babeltrace2", "--clock-seconds", "--no-delta", folder)
    dropped = sum(map(int, re.findall(r"[Dd]iscarded (\d+) event", it.stderr)))
    for line in text.splitlines():
        found = re.match(r"\[(\d+)\.(\d{9})\] (?:\S+ )?(\w+): \{ cpu_id = \d+ \}, "
                         r"\{ pid = (\d+), tid = (\d+), procname = \"((?:[^\"\\]|\\.)*)\" \}, \{ ?(.*?) ?\}$", line)
        if not found:
            it.check("every line is an event", not line.strip(), line)
            continue
        seconds, ns, event, _, tid, name, fields = found.groups()
        when = int(seconds) * 10**9 + int(ns)
        names.add(name)
        events.add(event)
        call = re.sub("^syscall_(entry|exit)_", "", event)
        call = KERNEL.get(call, call)
        if event.startswith("syscall_") and call == "unknown":
            call = f"syscall_{int(re.search('id = ([0-9]+)', fields).group(1)):#x}"
        if event.startswith("syscall_entry"):
            pairs.enter(tid, call, when)
            files |= set(re.findall(r"\bfilename = \"((?:[^\"\\]|\\.)*)\"", fields))
        elif event.startswith("syscall_exit"):
            pairs.leave(tid, call, when, int(re.search(r"\bret = (-?\d+)", fields).group(1)))
        elif event == "sctrace_lost":
            lost += int(re.search(r"calls = (\d+)", fields).group(1))
    return SimpleNamespace(calls=pairs.calls, orphans=pairs.orphans, names=names, events=events, files=files,
                           lost=lost, dropped=dropped, unfinished=sum(map(len, pairs.open.values())))


def tracedat(it, file):
    numbers, pairs, names, signals, dropped = numbers_of_calls(it), Pairs(), set(), collections.Counter(), 0
    for line in it.said("trace-cmd", "report", "-t", "-i", file).splitlines():
        missing = re.match(r"CPU:\d+ \[(\d+)? ?EVENTS DROPPED\]", line)
        if missing:
            dropped += int(missing.group(1) or 0)
            continue
        found = re.match(r"\s*(.+)-(\d+)\s+\[(\d+)\][^:]*?(\d+)\.(\d{9}): (\w+):\s+(.*)", line)
        if not found:
            it.check("every line is an event", not line.strip() or line.startswith(("cpus=", "CPU ")), line)
            continue
        name, tid, _, seconds, ns, event, rest = found.groups()
        when = int(seconds) * 10**9 + int(ns)
        names.add(name)
        if event == "sys_enter":
            pairs.enter(tid, of_number(numbers, rest), when)
        elif event == "sys_exit":
            pairs.leave(tid, of_number(numbers, rest), when, int(rest.rsplit("=", 1)[1], 0))
        else:
            signals[int(re.search(r"sig=(\d+)", rest).group(1))] += 1
    return SimpleNamespace(calls=pairs.calls, orphans=pairs.orphans, names=names, signals=signals,
                           unfinished=sum(map(len, pairs.open.values())), dropped=dropped)


def message(lines):
    """protoc's text → lists of values by the name of the field."""
    fields = collections.defaultdict(list)
    for line in lines:
        line = line.strip()
        if line == "}":
            break
        if line.endswith("{"):
            fields[line[:-2]].append(message(lines))
        else:
            key, _, value = line.partition(": ")
            fields[key].append(value.strip('"'))
    return fields


def perfetto(it, file):
    here = os.path.dirname(os.path.abspath(__file__))
    with open(file, "rb") as trace:
        done = subprocess.run(["protoc", "-I", here, "--decode=Trace", "perfetto.proto"], stdin=trace,
                              capture_output=True, text=True, timeout=300)
    it.check("protoc reads it", done.returncode == 0, done.stderr)
    unknown = re.findall(r"^\s*\d+(?::| \{).*", done.stdout, re.M)
    it.check("no field is unknown", not unknown, unknown[:5])
    texts, threads, opened, last = {}, {}, [], {}
    told = SimpleNamespace(calls=[], unfinished=0, notes=set(), lost=0, opened=opened, orphans=0)
    for packet in message(iter(done.stdout.splitlines()))["packet"]:
        for kind in ("event_names", "debug_annotation_names", "event_categories"):
            for data in packet["interned_data"]:
                for entry in data[kind]:
                    texts[kind, entry["iid"][0]] = entry["name"][0]
        for track in packet["track_descriptor"]:
            for thread in track["thread"]:
                threads[track["uuid"][0]] = thread["thread_name"][0]
        for event in packet["track_event"]:
            when, kind, track = int(packet["timestamp"][0]), event["type"][0], (event["track_uuid"] or ["0"])[0]
            marks = {texts["debug_annotation_names", note["name_iid"][0]]:
                     (note["string_value"] or note["int_value"] or note["uint_value"])[0]
                     for note in event["debug_annotations"]}
            opened.append((when, kind, track))
            if kind == "TYPE_INSTANT":
                told.notes.add(event["name"][0])
                if texts["event_categories", event["category_iids"][0]] == "lost" and "calls" in marks:
                    told.lost += int(marks["calls"])
            elif kind == "TYPE_SLICE_BEGIN":
                last[track] = (when, texts["event_names", event["name_iid"][0]], marks)
            else:  # an end follows its begin; sorted by time, they nest
                began, name, marks = last.pop(track)
                if "ret" in marks:
                    told.calls.append((name, int(marks["ret"]), when - began))
                else:
                    told.unfinished += 1
    depth = collections.Counter()
    for when, kind, track in sorted(opened, key=lambda one: one[0]):
        depth[track] += {"TYPE_SLICE_BEGIN": 1, "TYPE_SLICE_END": -1}.get(kind, 0)
        it.check("slices nest by time", depth[track] >= 0, (when, track))
    told.names = set(threads.values())
    return told


def firefox(it, file):
    with open(file) as text:
        profile = json.load(text, parse_float=Decimal)
    strings = profile["shared"]["stringArray"]
    told = SimpleNamespace(calls=[], unfinished=0, lost=0, notes=set(),
                           names={thread["name"] for thread in profile["threads"]},
                           extra=profile["meta"]["extra"], orphans=0)
    for thread in profile["threads"]:
        table = thread["markers"]
        lengths = {name: len(column) for name, column in table.items() if name != "length"}
        it.check("columns are of one length", set(lengths.values()) == {table["length"]}, lengths)
        for n, data in enumerate(table["data"]):
            if data["type"] != "Syscall":
                told.notes.add(data["what"])
                told.lost += data.get("calls", 0)
            elif table["phase"][n] == 1:
                spent = int((table["endTime"][n] - table["startTime"][n]) * 1000000)
                told.calls.append((strings[table["name"][n]], data["ret"], spent))
            else:
                told.unfinished += 1
    told.weight = sum(int(one * 1000000) for thread in profile["threads"] for one in thread["samples"]["weight"])
    return told
