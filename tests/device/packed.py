"""packed.py BUILD: each frame of the packed twin, both ways, with the same power as the lines have."""
import os
import re
import signal
import struct
import sys

import frames as f
from session import Session, check, run_all

WRITE, GETPPID, WRITEV, GETPID, GETTIMEOFDAY = 1, 110, 20, 39, 96


def started(house, guest, *words, calls=b"getppid", settings=()):
    session = Session(house, [guest, *words])
    one = session.connect(f.Packed)
    for kind, number in settings:
        one.say_number(kind, number)
    one.say(f.TRACE, calls)
    return session, one


def next_of(one, kind):
    while (heard := one.hear()) is not None:
        if heard.kind == kind:
            return heard
        if heard.kind == f.ERROR:
            raise AssertionError(heard.text)
    raise AssertionError(f"no frame {kind} came")


def calls(house, guest):
    session, one = started(house, guest, "calls", "5")
    call = next_of(one, f.CALL)
    check("number and arguments", call.call[0], GETPPID)
    check("who", call.pid, call.tid)
    one.say(f.CONT, of=call)
    for result in (12, -5):
        next_of(one, f.CALL)
        one.say_number(f.SKIP, result)
    next_of(one, f.CALL)
    one.say(f.STEP)
    check("a result", next_of(one, f.RESULT).number > 0, True)
    one.say_number(f.ANSWER, 99)
    next_of(one, f.CALL)
    one.send(f.call_frame(GETPID, [0] * 6))
    one.say(f.CONT)
    end = session.end()
    check("what the program saw", end[1], r"\d+\n12\n-1\n99\n\d+\n")
    check("another call", end[1].split("\n")[4] == str(call.pid), True)


def memory(house, guest):
    target = house.path("file")
    session, one = started(house, guest, "write", target, calls=b"write")
    call = next_of(one, f.CALL)
    number, args, known = call.call
    check("a call", (number, args[0], args[2], known[args[1]]), (WRITE, 9, 12, (b"this is data", 12)))
    one.say(f.GET, struct.pack("<QQ", 5, 2), 2)
    check("get", next_of(one, f.DATA).data, b"is")
    one.say(f.GET, argument=2)
    check("all of it", next_of(one, f.DATA).data, b"this is data")
    vector = struct.pack("<QQQQ", 0, 5, 0, 7)  # a vector of two, each pointing at a block
    one.send(f.call_frame(WRITEV, [4, 0, 2, 0, 0, 0],
                          [(2, vector, [(0, 1), (16, 2)]), (0, b"first", []), (0, b" second", [])]))
    one.say(f.STEP)
    check("written by blocks", next_of(one, f.RESULT).number, 12)
    one.say(f.CONT)
    one.say(f.TRACE, b"none")
    session.end()
    check("in the file", open(target).read(), "first second")
    session, one = started(house, guest, "time", calls=b"gettimeofday")
    next_of(one, f.CALL)
    one.say(f.STEP)
    next_of(one, f.RESULT)
    now = struct.pack("<QQ", 1, 2)
    one.say(f.SET, struct.pack("<Q", 16) + now, 1)
    one.say(f.GET, argument=1)
    check("set", next_of(one, f.DATA).data, now)
    one.say(f.CONT)
    check("gettimeofday altered", session.end()[1], "1 2\n")
    session, one = started(house, guest, "big", calls=b"write", settings=((f.LIMIT, 1000),))
    _, args, known = next_of(one, f.CALL).call
    check("limit", [(len(data), wanted) for data, wanted in known.values()], [(1000, 10 << 20)])
    one.say(f.TRACE, b"none")
    session.end()


def told(house, guest):
    for answer, outcome in ((f.DELIVER, 10), (f.DROP, 0), (f.REPLACE, 12)):
        session, one = started(house, guest, "raise", calls=b"none", settings=((f.SIGNALS, 1),))
        signal = next_of(one, f.SIGNAL)
        check("its siginfo", struct.unpack_from("<ii", signal.payload, 8)[0], signal.number)
        one.say_number(answer, 12)
        check("signal", session.end()[1], f"caught {outcome}\n")
    session, one = started(house, guest, "fork", calls=b"none")
    seen = {}
    while (heard := one.hear()) is not None:
        seen.setdefault(heard.kind, []).append(heard)
    check("kinds", sorted(seen), [f.FORK, f.EXIT])
    check("exits", sorted(heard.number for heard in seen[f.EXIT]), [0, 3])
    session.end()
    session, one = started(house, guest, "exec", calls=b"none")
    check("exec", next_of(one, f.EXEC).text, "/bin/true")
    session.end()
    session, one = started(house, guest, "calls", "1", settings=((f.PATIENCE, 20_000_000),))
    next_of(one, f.CALL)
    check("late", next_of(one, f.LATE).kind, f.LATE)
    session.end()
    out, into = os.pipe()
    session = Session(house, [guest, "signal", str(out)], pass_fds=(out,))
    one = session.connect(f.Packed)
    one.say(f.TRACE, b"getppid")
    next_of(one, f.CALL)
    os.write(into, b".")
    check("withdrawn", next_of(one, f.WITHDRAWN).kind, f.WITHDRAWN)
    one.say(f.CONT, of=next_of(one, f.CALL))
    check("made after all", session.end()[1], r"caught 10, and the call was made\n")


def gone(house, guest):
    """A process that dies while it waits is told of, and its place is free again."""
    session, one = started(house, guest, "fork", calls=b"exit_group")
    child = next_of(one, f.CALL)
    os.kill(child.pid, signal.SIGKILL)
    heard = next_of(one, f.GONE)
    check("gone", (heard.pid, heard.tid), (child.pid, child.tid))
    one.say(f.TRACE, b"none")
    session.end()


def errors(house, guest):
    wrong = [(f.frame(f.CONT, pid=1, tid=1), "that thread waits for no answer"),
             (f.frame(99), "no frame of the protocol"), (f.frame(f.SKIP), "it is shorter than what it says"),
             (f.frame(f.SET, argument=9), "expected an argument from 1 to 6"),
             (f.frame(f.SET, struct.pack("<Q", 99), 1), "it is shorter than what it says"),
             (f.frame(f.TRACE, b"nosuch"), ".*nosuch.*"),
             (f.frame(f.REPLACE, struct.pack("<q", 99)), "expected a signal"),
             (f.call_frame(WRITE, [1] * 6, [(2, bytes(3000), [])]), "more than 2048 bytes of new memory.*"),
             (f.call_frame(WRITE, [1] * 6, [(2, b"x" * 8, [(0, 5)])]), "a pointer that .*"),
             (f.call_frame(WRITE, [1] * 6, [(7, b"x", [])]), "a block for no argument"),
             (f.frame(f.ANSWER, struct.pack("<q", 1)), "a call waits: .*")]
    session, one = started(house, guest, "calls", "1")
    next_of(one, f.CALL)
    for raw, why in wrong:
        one.send(raw)
        heard = one.hear()
        check(f"error to {raw[:20]}", (heard.kind, heard.argument), (f.ERROR, struct.unpack_from("<H", raw, 4)[0]))
        check("why", heard.text, why)
    one.say(f.TEXT)
    one.send(b"nonsense\n")
    check("lines again", one.file.readline(), b"error nonsense: no word of the protocol and no system call\n")
    one.send(b"skip-ok 7\n")
    check("nothing has changed", session.end()[1], "7\n")
    session, one = started(house, guest, "calls", "1")
    next_of(one, f.CALL)
    one.send(struct.pack("<I", 7))  # no length of a frame: it is let go, and hung up on
    check("what is no frame", re.fullmatch(r"\d+\n", session.end()[1]) is not None, True)


if __name__ == "__main__":
    sys.exit(run_all(sys.argv[1], (calls, memory, told, gone, errors),
                     os.path.join(os.path.abspath(sys.argv[1]), "tests", "device", "guest")))
