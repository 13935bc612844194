"""settings.py BUILD: what `sctrace ctl` changes in a running program, and in what it executes."""
import os
import sys
import time

from guest import Faults, House, comes
from switch import Counting


def settings(house, faults):
    program = Counting(house, "settings", 2, 500)

    def lines():
        return house.sctrace("print", "-f", "-e", "trace=lseek", program.trace).stdout

    faults.expect(comes(lines), "recorded")
    faults.expect(program.ctl("filter", "name == write").returncode == 0, "filter")
    time.sleep(0.05)
    before = len(lines())
    time.sleep(0.1)
    after = len(lines())
    faults.expect(before == after, "filtered from here on", before, after)
    faults.expect(program.ctl("filter", "").returncode == 0, "without a filter again")
    faults.expect(comes(lambda: len(lines()) > after), "so")
    faults.expect(program.ctl("strsize", "2,%network=all").returncode == 0, "strsize")
    program.ask("t")
    faults.expect(program.ctl("capture", "none").returncode == 0, "capture")
    faults.expect(program.ctl("flush").returncode == 0, "flush")
    for words, why in ((("filter", "dur>"), b"column 5"), (("strsize", "x"), b"expected a size"),
                       (("capture", "all"), b"expected none"), (("filter",), b"needs a value"),
                       (("stack", "all"), b"expected off, fp, unwind or auto"),
                       (("on", "now"), b"takes no value"), (("fly",), b"fly")):
        wrong = program.ctl(*words)
        faults.expect(wrong.returncode == 2 and why in wrong.stderr, words, wrong)
    faults.expect(program.end() == 0, "its own status")


def stacks(house, faults):
    """Of a program that began without them, and of what it executes."""
    program = Counting(house, "stacks", 2, 20000)

    def frames(name):
        shown = house.sctrace("print", "-f", "-k", "-e", "trace=lseek", program.trace).stdout.decode()
        return shown.count(name)

    faults.expect(comes(lambda: frames("lseek(")) and frames(" > ") == 0, "none at first")
    # A frame pointer misses who called the C library's function: it has none.
    for how, known in (("fp", "libc.so"), ("unwind", "(run+"), ("auto", "(run+")):
        if how == "unwind":
            faults.expect(program.ctl("off", "--sync").returncode == 0, "off")
        faults.expect(program.ctl("stack", how).returncode == 0, how)
        if how == "unwind":
            faults.expect(program.ctl("on", "--sync").returncode == 0, "on")
        before = frames(known)
        faults.expect(comes(lambda: frames(known) > before), "who called, by", how)
    path = os.path.join(os.path.dirname(house.library), "tests", "live", "counting")
    faults.expect(program.ask("x " + path) == "ready", "executed")
    before = frames("(run+")
    faults.expect(comes(lambda: frames("(run+") > before), "in what it executes")
    faults.expect(program.ctl("stack", "off").returncode == 0, "no more")
    time.sleep(0.05)
    before, calls = frames("(run+"), frames("lseek(")
    faults.expect(comes(lambda: frames("lseek(") > calls), "goes on")
    faults.expect(frames("(run+") == before, "without stacks")
    faults.expect(program.end() == 0, "its own status")


def settings_go_on(house, faults):
    """What is executed begins with what ctl said last, whatever its environment says."""
    program = Counting(house, "told", 2, 5000, SCTRACE_STRSIZE="100", SCTRACE_FILTER="nr>=0")
    path = os.path.join(os.path.dirname(house.library), "tests", "live", "counting")

    def calls(name):
        return house.sctrace("print", "-f", "-s", "999", "-e", "trace=" + name, program.trace).stdout

    for words in (("strsize", "all"), ("strsize", "3"), ("filter", "name==write"), ("capture", "in")):
        faults.expect(program.ctl(*words).returncode == 0, words)
    for _ in range(2):
        faults.expect(program.ask("x " + path) == "ready", "executed")
        before = len(calls("lseek"))
        time.sleep(0.1)
        faults.expect(len(calls("lseek")) == before, "filtered as before")
        faults.expect(b'"rea"..., 6' in calls("write"), "cut as before", calls("write")[-300:])
    faults.expect(program.ctl("filter", "").returncode == 0, "no filter")
    faults.expect(program.ask("x " + path) == "ready", "executed")
    before = len(calls("lseek"))
    faults.expect(comes(lambda: len(calls("lseek")) > before), "none in what is executed then")
    long = program.ctl("filter", " || ".join(["fd==1"] * 150))
    faults.expect(long.returncode == 2 and long.stderr.count(b"\n") == 1, long)
    faults.expect(program.end() == 0, "its own status")


def main(build):
    faults = Faults()
    with House(build) as house:
        settings(house, faults)
        settings_go_on(house, faults)
        stacks(house, faults)
    return faults.status()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
