"""protocol.py BUILD: each word of the device's protocol, both ways: what it does, which answer is for whom, what is let
go when, and what makes no sense."""
import itertools
import os
import re
import sys

from session import Session, call, check, run_all
from controller import quoted, unquoted


def started(house, guest, *words, calls="getppid", **more):
    session = Session(house, [guest, *words], **more)
    one = session.connect()
    one.trace(calls)
    return session, one


def words_for_calls(house, guest):
    session, one = started(house, guest, "calls", "7")
    for answer in ("cont", "skip-ok 12", "skip-ok -0x10", "skip-fail EIO", "skip-fail 11"):
        call(one)
        one.say(answer)
    for answer in ("ok 5", "fail EAGAIN"):
        call(one)
        one.say("step")
        check("the result", one.hear(), r"(\d+)\.\1 ok \d+")
        one.say(answer)
    check("what the program saw", session.end()[1], r"\d+\n12\n-1\n-1\n-1\n5\n-1\n")
    session, one = started(house, guest, "write", calls="write")
    call(one)
    one.say("step")
    check("a failure", one.hear(), r"(\d+)\.\1 fail EBADF")
    one.say("cont")
    one.trace("none")
    check("as it is", session.end()[1], "-1 EBADF\n")


def wrong_lines(house, guest):
    """Each answered by an error, none of them changes anything; at a call, at a result, and where nothing waits."""
    anywhere = {
        "": "an empty line", "trace": "expected system calls", "trace nosuch": ".*nosuch.*",
        "signals": "expected on or off", "limit x": "expected a number of bytes", "patience 5y": "expected a time.*",
        "cont now": "nothing follows this word", "skip-ok": "expected a number", "skip-ok x": "expected a number",
        "skip-fail": "expected an error's name", "skip-fail ENONSENSE": "expected an error's name",
        "fail 0": "expected an error's name", "signal": "expected a signal", "signal 65": "expected a signal",
        "set": "expected an argument from 1 to 6", 'set 7 "x"': "expected an argument from 1 to 6",
        "set 1 x": "expected bytes in quotes", "get 1 5": "expected an offset and a length", "1.2": "an empty line",
        "1 cont": "PID.TID expected .*", "1.2 cont": "that thread waits for no answer",
        "99999999999.1 cont": "PID.TID expected .*"}
    at_a_call = {"ok 1": "a call waits: .*", "fail EIO": "a call waits: .*", "deliver": "a call waits: .*",
                 "drop": "a call waits: .*", "signal SIGINT": "a call waits: .*", "get 1": "it is no memory .*",
                 "getppid 1": "it takes 0 arguments", "nosuch 1": "no word of the protocol and no system call"}
    at_a_result = {"step": "a result waits: .*", "skip-ok 1": "a result waits: .*", "getppid": "a result waits: .*"}
    nowhere = dict.fromkeys(("cont", "ok 1", "get 1", "deliver", "getppid"), "no report waits for an answer")

    def all_of(table, place):
        for line, why in table.items():
            one.say(line)
            check(f"{place}: {line}", one.hear(), "error " + re.escape(line) + ": " + why)

    session = Session(house, [guest, "calls", "1"])
    one = session.connect()
    all_of(anywhere | nowhere, "before all")
    one.trace("getppid")
    call(one)
    all_of(anywhere | at_a_call, "at a call")
    one.say("step")
    one.hear()
    all_of(anywhere | at_a_result, "at a result")
    one.say("ok 77")
    check("errors change nothing", session.end()[:2], (0, "77\n"))


def let_go(house, guest):
    """What is stopped and no longer named goes on."""
    session, one = started(house, guest, "calls", "2")
    call(one)
    one.trace("write")  # getppid goes on
    event, _ = call(one)
    check("another one", event.word, "write")
    one.trace("getppid")
    call(one)
    one.say("step")
    one.hear()
    one.trace("none")  # after the call, too
    check("all is let go", session.end()[0], 0)


def whom(house, guest):
    """An answer without an address is for the oldest report; one with an address for that thread."""
    session, one = started(house, guest, "threads")
    stopped = [call(one)[0] for _ in range(40)]
    middle = stopped.pop(20)
    middle.answer("skip-ok 1000")
    for n, _ in enumerate(stopped):
        one.say(f"skip-ok {n}")
    middle.answer("cont")
    check("answered already", one.hear(), r"error .* cont: that thread waits for no answer")
    check("each its own", session.end()[1], f"sum {1000 + sum(range(39))}\n")
    session, one = started(house, guest, "threads")
    first = call(one)[0]
    call(one)
    one.say("step")
    result = next(event for event in one.events() if event.word == "ok")
    check("the oldest", result.thread, first.thread)
    result.answer("ok 1")
    one.trace("none")
    check("all", session.end()[0], 0)


def lives(house, guest):
    session, one = started(house, guest, "fork", calls="none")
    lines = list(iter(one.hear, None))
    parent = lines[0].split(".")[0]
    check("fork", lines[0], rf"{parent}\.{parent} fork \d+")
    child = lines[0].split(" ")[2]
    check("exits", sorted(lines[1:]), sorted([f"{child}.{child} exit 3", f"{parent}.{parent} exit 0"]))
    session.end()
    session, one = started(house, guest, "threads", calls="exit")
    lines = [line.split(" ", 1) for line in iter(one.hear, None)]
    told = {who for who, what in lines if what == "exit 0"}
    check("the call exit is told, and asks nothing", (len(lines), len(told)), (41, 41))
    check("of 40 threads, and of the process", session.end()[0], 0)
    session, one = started(house, guest, "noexec", calls="execve")
    call(one)
    one.say("step")
    check("it is told before", one.hear(), r'\S+ exec "/nowhere/x"')
    check("an exec that fails comes back", one.hear(), r"\S+ fail ENOENT")
    one.say("fail EACCES")
    check("as it is answered", session.end()[1], "exec EACCES\n")


def settings(house, guest):
    session, one = started(house, guest, "big", calls="write")
    one.say("limit 8")
    event, _ = call(one)
    check("limit", event.line, r'\S+ write \d+, "x{8}"\.\.\., 10485760')
    one.trace("none")
    session.end()
    session = Session(house, [guest, "big"])
    one = session.connect()
    one.say("limit 5000")
    one.trace("write")
    event, _ = call(one)
    check("more than is recorded", event.line, r'\S+ write \d+, "x{5000}"\.\.\., 10485760')
    one.trace("none")
    session.end()
    session, one = started(house, guest, "calls", "2")
    one.say("patience 50ms")
    event, _ = call(one)
    check("late", one.hear(), re.escape(event.thread) + " late")
    event, _ = call(one)
    one.say("skip-ok 3")
    check("after it", session.end()[1], r"\d+\n3\n")


def signals(house, guest):
    for answer, outcome in (("deliver", "caught 10\n"), ("cont", "caught 10\n"), ("drop", "caught 0\n"),
                            ("signal SIGUSR2", "caught 12\n"), ("signal 12", "caught 12\n")):
        session = Session(house, [guest, "raise"])
        one = session.connect()
        one.say("signals on")
        check("told", one.hear(), r"(\d+)\.\1 signal SIGUSR1 \{si_code=SI_TKILL, .*\}")
        for wrong in ("ok 1", "step", "get 1"):
            one.say(wrong)
            check(wrong, one.hear(), f"error {wrong}: a signal .*")
        one.say(answer)
        check(answer, session.end()[1], outcome)
    session = Session(house, [guest, "raise"])
    inner, outer = session.connect(), session.connect()
    for one in (inner, outer):
        one.say("nonsense")
        one.hear()
    outer.say("signals on")
    inner.say("signals on")  # it may have come already, to the other
    line = inner.hear() if session else ""
    check("the innermost first", line, r"\S+ signal SIGUSR1 .*")
    inner.say("signal SIGUSR2")
    check("and outwards what it made of it", outer.hear(), r"\S+ signal SIGUSR2 .*")
    outer.say("signals off")
    check("let go", session.end()[1], "caught 12\n")


def moving(house, guest):
    session, one = started(house, guest, "read", calls="read,openat")
    event, _ = call(one)
    while event.word != "read" or "100000" not in event.line:
        one.say("cont")
        event, _ = call(one)
    data = bytes(range(1, 101)) * 1000
    one.say("set 2 " + quoted(data))
    one.say("get 2 99990 10")
    check("set and get", unquoted(one.hear().split(" ", 3)[3]), data[-10:])
    one.say("skip-ok 100000")
    one.trace("none")
    check("a read played", session.end()[1], f"100000, {sum(data)}\n")
    session, one = started(house, guest, "half", calls="write")
    call(one)
    one.say("set 2 " + quoted(b"b" * 16384))
    check("what can be written in part is not", one.hear(), r"error set 2 .*: that memory cannot be written")
    one.say("set 2 " + quoted(b"c" * 16385))
    check("nor what is too long", one.hear(), r"error set 2 .*: beyond the buffer, which has 16384 bytes")
    one.say('write 1, "new", 3')
    one.say("get 2")
    check("what is new", one.hear(), "error get 2: its bytes are in the line that changed it")
    one.say("step")
    one.hear()
    one.say("get 2")
    check("after the call it can be read", one.hear(), r'\S+ data 2 "new"')
    one.say("ok 16384")
    one.trace("none")
    check("nothing has changed", session.end()[1], "new16384, 0 changed\n")


def nested(house, guest):
    """Three, in all orders: one answers, one alters, one looks on."""
    for order in itertools.permutations(("skip", "alter", "look")):  # the outermost first
        gate_out, gate_in = os.pipe()
        session = Session(house, [guest, "gate", str(gate_out)], pass_fds=(gate_out,))
        ones = {}
        for role in reversed(order):
            ones[role] = session.connect()
            ones[role].trace("write")
            ones[role].say("nonsense")
            check("heard", ones[role].hear(), "error nonsense: .*")
        os.write(gate_in, b".")
        written, inside = 9, order[:order.index("skip") + 1]
        seen = {}
        for role in inside:
            event, _ = call(ones[role])
            check(f"{order}: {role}", event.line, rf'\S+ write {written}, "this is data", 12')
            if role == "alter":
                event.answer('write 8, "this is data", 12')
                written = 8
            event.answer("skip-ok 12" if role == "skip" else "step")
        for role in reversed(inside[:-1]):
            seen[role] = ones[role].hear()
            check(f"{order}: outwards to {role}", seen[role], r"\S+ ok 12")
            ones[role].say("cont")
        for one in ones.values():
            one.say("trace none")
        check(f"{order}", session.end()[1], "12 \n")
        os.close(gate_out), os.close(gate_in)


if __name__ == "__main__":
    parts = (words_for_calls, wrong_lines, let_go, whom, lives, settings, signals, moving, nested)
    sys.exit(run_all(sys.argv[1], parts,
                     os.path.join(os.path.abspath(sys.argv[1]), "tests", "device", "guest")))
