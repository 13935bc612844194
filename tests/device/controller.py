"""A controller for `sctrace control`: stops a program's system calls, and decides what becomes of them. One file, no
dependencies; a class to build on, and three tools:

  controller.py SOCKET strace [CALLS]          every call and its result, a line each, on stderr
  controller.py SOCKET sandbox FOLDER          what opens outside of FOLDER fails with EACCES, but to read system files
  controller.py SOCKET record FILE             what the program reads from files is kept in FILE
  controller.py SOCKET play FILE               and given again, from FILE instead of the files
"""
import json
import os
import re
import socket
import sys

REPORT = re.compile(r"(\d+)\.(\d+) (.*)", re.S)
ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34, "'": 39, "?": 63, "e": 27}


def unquoted(text):
    """A string as C writes it, quotes and all -> bytes."""
    out = bytearray()
    for part in re.findall(r'\\[0-7]{1,3}|\\x[0-9a-fA-F]{1,2}|\\.|[^\\]', text[1:text.rindex('"')]):
        if part[0] != "\\":
            out += part.encode("latin-1")
        elif part[1] in "01234567":
            out.append(int(part[1:], 8) & 255)
        elif part[1] == "x":
            out.append(int(part[2:], 16))
        else:
            out.append(ESCAPES.get(part[1], ord(part[1])))
    return bytes(out)


def quoted(data):
    """bytes -> a string as C writes it."""
    return '"' + "".join(chr(c) if 32 <= c < 127 and c not in b'"\\' else f"\\{c:03o}" for c in data) + '"'


def split(text):
    """Arguments: at commas that are in no quotes and no brackets."""
    out, deep, begin, quotes, at = [], 0, 0, False, 0
    while at < len(text):
        c = text[at]
        if quotes and c == "\\":
            at += 1
        elif c == '"':
            quotes = not quotes
        elif not quotes and c in "([{":
            deep += 1
        elif not quotes and c in ")]}":
            deep -= 1
        elif not quotes and not deep and c == ",":
            out.append(text[begin:at].strip())
            begin = at + 1
        at += 1
    rest = text[begin:].strip()
    return out + [rest] if rest or out else []


class Controller:
    """Say what stops with trace(); events() then yields what is reported. An answer goes to the thread of the event."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r", encoding="latin-1", newline="\n")

    def say(self, line):
        try:
            self.socket.sendall(line.encode("latin-1") + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # the program has ended

    def trace(self, calls):
        self.say("trace " + calls)

    def hear(self):
        """The next line, or None: it is over."""
        try:
            line = self.lines.readline()
        except ConnectionResetError:
            return None
        return line.rstrip("\n") if line else None

    def events(self):
        while (line := self.hear()) is not None:
            yield Event(self, line)

    def get(self, event, argument, offset=None, length=None):
        """Bytes behind an argument (from 1) of a call that waits; None: it cannot be read."""
        self.say(f"{event.thread} get {argument}" + (f" {offset} {length}" if offset is not None else ""))
        while (line := self.hear()) is not None:
            answer = Event(self, line)
            if answer.word == "error":
                return None
            if answer.word == "data" and answer.thread == event.thread:
                return unquoted(answer.rest.split(" ", 1)[1])
            self.answer_later(answer)
        return None

    def answer_later(self, event):
        """Another thread stopped meanwhile. A tool of many threads would keep it; here it goes on."""
        if event.is_call:
            event.answer("cont")


class Event:
    """One line: a call that waits (`is_call`), its outcome (ok, fail), or what is told (fork, exec, exit, error …)."""

    TOLD = ("ok", "fail", "exec", "exit", "lost", "error", "data", "withdrawn", "late", "gone")

    def __init__(self, controller, line):
        self.controller, self.line = controller, line
        found = REPORT.match(line)
        self.thread = f"{found[1]}.{found[2]}" if found else ""
        self.word, _, self.rest = (found[3] if found else line).partition(" ")
        told = self.word in self.TOLD or (self.word == "fork" and self.rest)  # fork is a call, too
        self.is_call = bool(found) and not told and self.word != "signal"

    @property
    def arguments(self):
        return split(self.rest)

    def answer(self, line):
        self.controller.say(f"{self.thread} {line}")


def strace(controller, calls="all"):
    controller.trace(calls)
    shown = {}
    for event in controller.events():
        if event.is_call:
            shown[event.thread] = f"{event.word}({event.rest})"
            event.answer("step")
        elif event.word in ("ok", "fail"):
            result = event.rest if event.word == "ok" else f"-1 {event.rest}"
            print(f"[{event.thread}] {shown.pop(event.thread, '?')} = {result}", file=sys.stderr)
            event.answer("cont")
        elif event.word in ("exit", "withdrawn"):
            if event.thread in shown:
                print(f"[{event.thread}] {shown.pop(event.thread)} = ?", file=sys.stderr)
            if event.word == "exit":
                print(f"[{event.thread}] +++ exited with {event.rest} +++", file=sys.stderr)


SYSTEM = ("/usr", "/lib", "/lib64", "/etc", "/dev", "/proc", "/sys")


def named(event):
    """The file that an open names, all links followed; None: it isn't known."""
    arguments = event.arguments
    path = next((a for a in arguments if a.startswith('"') and not a.endswith("...")), None)
    if path is None:
        return None
    path, pid = unquoted(path).decode(errors="surrogateescape"), event.thread.split(".")[0]
    if not os.path.isabs(path):  # below the directory that the program is in, or has open
        base = "cwd" if arguments[0].startswith('"') or arguments[0] == "AT_FDCWD" else "fd/" + arguments[0]
        try:
            path = os.path.join(os.readlink(f"/proc/{pid}/{base}"), path)
        except OSError:
            return None
    return os.path.realpath(path)


def sandbox(controller, folder):
    folder = os.path.realpath(folder)
    controller.trace("open,openat,openat2,creat")
    for event in controller.events():
        if not event.is_call:
            continue
        real = named(event)
        inside = real is not None and (real + "/").startswith(folder + "/")
        reads = not re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", event.rest) and event.word != "creat"
        allowed = inside or (real is not None and reads and any((real + "/").startswith(s + "/") for s in SYSTEM))
        event.answer("cont" if allowed else "skip-fail EACCES")


def record(controller, name):
    """Reads in their order, of all files; what came of each, and its bytes."""
    controller.trace("read,pread64")
    kept, asked = [], {}
    for event in controller.events():
        if event.is_call:
            asked[event.thread] = event.word
            event.answer("step")
        elif event.word == "ok" and event.thread in asked:
            count = int(event.rest)
            data = controller.get(event, 2, 0, count) if count > 0 else b""
            kept.append({"call": asked[event.thread], "ok": count, "data": (data or b"").decode("latin-1")})
            event.answer("cont")
        elif event.word == "fail":
            kept.append({"call": asked.get(event.thread, "read"), "fail": event.rest, "data": ""})
            event.answer("cont")
    with open(name, "w") as file:
        json.dump(kept, file)


def play(controller, name):
    with open(name) as file:
        kept = json.load(file)
    controller.trace("read,pread64")
    for event in controller.events():
        if not event.is_call:
            continue
        if not kept or kept[0]["call"] != event.word:
            event.answer("cont")
            continue
        was = kept.pop(0)
        data = was["data"].encode("latin-1")
        if "fail" in was:
            event.answer("skip-fail " + was["fail"])
            continue
        if data:
            event.answer("set 2 " + quoted(data))
        event.answer(f"skip-ok {was['ok']}")


def main(path, tool, *arguments):
    tools = {"strace": strace, "sandbox": sandbox, "record": record, "play": play}
    if tool not in tools:
        sys.exit(f"controller.py: no tool {tool}; there are {', '.join(tools)}")
    tools[tool](Controller(path), *arguments)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
