"""watch.py BUILD: `ps` lists what is recorded, `top -b` counts it, and `top` on a terminal obeys its keys."""
import json
import os
import re
import shutil
import subprocess
import sys

from guest import Faults, Guest, House, comes, skip


def listed(house, pid):
    found = [one for one in json.loads(house.sctrace("ps", "--json").stdout) if one["pid"] == pid]
    return found[0] if found else None


def rows(text):
    return {line.split()[0]: line.split() for line in text.splitlines() if line and line[0].islower()}


def lists(house, faults):
    guest = Guest(house, "listed")
    guest.tell("g 100")
    one = listed(house, guest.pid)
    faults.expect(one and one["trace"] == guest.trace and one["state"] == "recording" and one["calls"] >= 100
                  and one["name"] == "obedient" and one["mode"] == "stream", one)
    faults.expect(str(guest.pid).encode() in house.sctrace("ps").stdout, "as a table")
    guest.end()
    faults.expect(listed(house, guest.pid) is None, "who has ended is gone")
    off = Guest(house, "off", SCTRACE_DISABLE="1")
    off.tell("g 1")
    one = listed(house, off.pid)
    faults.expect(one and one["state"] == "not recording" and one["trace"] is None, one)
    off.end()


def named_badly(house, faults):
    """What a program calls itself is no command to the terminal."""
    named = "import ctypes; ctypes.CDLL(None).prctl(15, b'a\\033[2J\\nb', 0, 0, 0); print(flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", named], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             env=house.environment("auto", house.path("badly")))
    child.stdout.readline()
    table = house.sctrace("ps").stdout
    faults.expect(b"\033" not in table and b"a\\33[2J" in table, "ps", table)
    faults.expect(listed(house, child.pid)["name"] == "a\033[2J", "as it is in JSON", listed(house, child.pid))
    said = house.sctrace("ctl", str(child.pid), "status", "--sync").stderr
    said += house.sctrace("ctl", str(child.pid), "off", "--sync").stderr
    faults.expect(b"\033" not in said and b"a\\33[2J" in said, "ctl", said)
    child.communicate(b"\n", 30)


def counts(house, faults):
    guest = Guest(house, "counted", SCTRACE_MODE="overwrite")
    guest.tell("l")
    shown = house.sctrace("top", "-b", "2", "-d", "0.4", str(guest.pid))
    text = shown.stdout.decode()
    faults.expect(shown.returncode == 0 and text.count("CALLS/S") == 2, shown)
    faults.expect("getppid" in rows(text), text)
    faults.expect(all(len(line) <= 80 for line in text.splitlines()), "80 columns", text)
    by_thread = house.sctrace("top", "-b", "1", "-d", "0.3", "--by", "thread", guest.trace).stdout.decode()
    faults.expect(len(re.findall(r"^\d+ ", by_thread, re.M)) >= 4, by_thread)
    filtered = house.sctrace("top", "-b", "1", "-d", "0.3", "--filter", "errno!=0", guest.trace).stdout.decode()
    faults.expect("getppid" not in filtered, filtered)
    faults.expect(house.sctrace("top", "--filter", "durr>1", "-b", "1").returncode == 2, "a filter that is none")
    guest.end()
    ended = house.sctrace("top", "-b", "5", "-d", "0.1", guest.trace)
    faults.expect(ended.returncode == 0, "of a program that has ended", ended)


class Terminal:
    """A tmux of our own: what a person sees, and their keys."""

    def __init__(self, house, *command):
        self.socket = house.path("tmux")
        self.run("new-session", "-d", "-x", "80", "-y", "20", " ".join(command))

    def run(self, *arguments):
        return subprocess.run(["tmux", "-f", "/dev/null", "-S", self.socket, *arguments], capture_output=True,
                              text=True, check=False).stdout

    def screen(self):
        return self.run("capture-pane", "-p")

    def shows(self, pattern):
        return comes(lambda: re.search(pattern, self.screen(), re.M))

    def keys(self, *keys):
        self.run("send-keys", *keys)


def obeys(house, faults):
    if not shutil.which("tmux"):
        skip("not on this machine: tmux")
    guest = Guest(house, "terminal", SCTRACE_MODE="overwrite")
    guest.tell("l")
    screen = Terminal(house, house.command, "top", "-d", "0.3", str(guest.pid))
    try:
        faults.expect(screen.shows(r"^CALL +CALLS/S"), "the table", screen.screen())
        faults.expect(screen.shows(r"^getppid +[0-9.]+[kM]?"), "its rows", screen.screen())
        faults.expect(screen.shows("by calls"), screen.screen())
        screen.keys("t")
        faults.expect(screen.shows("by time"), "t sorts by time", screen.screen())
        screen.keys("4")
        faults.expect(screen.shows(r"^THREAD"), "4 shows threads", screen.screen())
        screen.keys("1")
        faults.expect(screen.shows(r"^CALL "), "1 shows calls", screen.screen())
        screen.keys("/")
        faults.expect(screen.shows("filter:"), "/ asks for a filter", screen.screen())
        screen.keys("durr>1", "Enter")
        faults.expect(screen.shows("column 1: expected"), "and says what is wrong", screen.screen())
        screen.keys("/")
        screen.keys("name==getppid", "Enter")
        faults.expect(screen.shows("only name==getppid"), "and obeys", screen.screen())
        screen.run("resize-window", "-x", "60", "-y", "10")
        faults.expect(screen.shows(r"^getppid"), "after a resize", screen.screen())
        screen.keys("q")
        faults.expect(comes(lambda: "CALLS/S" not in screen.screen()), "q ends it", screen.screen())
        faults.expect(os.path.exists(f"/proc/{guest.pid}"), "and not the program")
    finally:
        screen.run("kill-server")
    guest.end()


def main(build):
    faults = Faults()
    with House(build) as house:
        lists(house, faults)
        named_badly(house, faults)
        counts(house, faults)
        obeys(house, faults)
    return faults.status()


sys.exit(main(sys.argv[1]))
