"""run.py BUILD: the device as controllers meet it: the examples of its description word for word, every word both
ways, three controllers at once, signals, many threads, and controllers that hang up or die."""
import os
import re
import signal
import subprocess
import sys

from session import HERE, Session, call, check, run_all
from controller import unquoted


REPORT = r'(\d+)\.\1 write 9, "this is data", 12'


def examples(house, guest):
    for lines, outcome in ((["skip-fail EIO"], "-1 EIO\n"), (["skip-ok 12"], "12 \n"), (["cont"], "-1 EBADF\n"),
                           (['write 4, "this is data", 12', "step"], "12 \n")):
        session = Session(house, [guest, "write", house.path("file")])
        one = session.connect()
        one.trace("write")
        event, _ = call(one)
        check("the report", event.line, REPORT)
        for line in lines:
            one.say(line)
        if "step" in lines:
            check("the result", one.hear(), r"(\d+)\.\1 ok 12")
            one.say("ok 12")
        one.trace("none")
        check(f"{lines}", session.end(), (0, outcome, ""))
    check("what was written elsewhere", open(house.path("file")).read(), "this is data")
    session = Session(house, [guest, "time"])
    one = session.connect()
    one.trace("gettimeofday")
    call(one)
    one.say("step")
    check("ok", one.hear(), r".* ok 0")
    one.say('set 1 "\\001\\0\\0\\0\\0\\0\\0\\0\\002\\0\\0\\0\\0\\0\\0\\0"')
    one.say("get 1")
    check("get after set", unquoted(one.hear().split(" ", 3)[3]), b"\1" + 7 * b"\0" + b"\2" + 7 * b"\0")
    one.say("cont")
    check("gettimeofday altered", session.end(), (0, "1 2\n", ""))


def memory(house, guest):
    session = Session(house, [guest, "write"])
    one = session.connect()
    one.trace("write")
    call(one)
    for line, why in (("set 1 \"x\"", "it is no memory whose length is known"),
                      ('set 2 "this is more data"', "beyond the buffer, which has 12 bytes"),
                      ('set 2 "THIS"', "that memory cannot be written"),  # a constant of the program
                      ("get 2 11 2", "beyond the buffer, which has 12 bytes"), ("garbage", "no word of .*")):
        one.say(line)
        check(line, one.hear(), re.escape(f"error {line}: ") + why)
    one.say("limit 4")
    one.say("cont")
    one.trace("none")
    check("errors change nothing", session.end(), (0, "-1 EBADF\n", ""))
    session = Session(house, [guest, "big"])
    one = session.connect()
    one.say("limit 8")
    one.trace("write")
    event, _ = call(one)
    check("a large buffer", event.line, r'\S+ write \d+, "xxxxxxxx"\.\.\., 10485760')
    one.say(f"get 2 {(10 << 20) - 5} 5")
    check("its end", one.hear(), r'\S+ data 2 "xend!"')
    one.say("get 2")
    check("all of it", len(unquoted(one.hear().split(" ", 3)[3])), 10 << 20)
    one.say("cont")
    one.trace("none")
    check("a large write", session.end(), (0, "10485760\n", ""))


def three(house, guest):
    """Skip over alter over observe: read in a guest that waits for its start until all are there."""
    gate_out, gate_in = os.pipe()
    script = f"import os; os.read({gate_out}, 1); os.write(2, b'abc')"
    session = Session(house, [sys.executable, "-S", "-c", script], pass_fds=(gate_out,))
    controllers = []
    for _ in range(3):
        one = session.connect()
        one.say("limit 64")
        one.trace("write")
        one.say("nonsense")
        check("heard", one.hear(), "error nonsense: .*")  # so it is known before the next
        controllers.append(one)
    observer, alters, skips = controllers
    os.write(gate_in, b".")
    event, _ = call(skips)
    check("the newest first", event.line, r'\S+ write 2, "abc", 3')
    event.answer("step")
    event, _ = call(alters)
    event.answer('write 1, "ABCD", 4')
    event.answer("step")
    event, _ = call(observer)
    check("altered further in", event.line, r'\S+ write 1, "ABCD", 4')
    event.answer("step")
    check("outwards", observer.hear(), r"\S+ ok 4")
    observer.say("cont")
    check("outwards", alters.hear(), r"\S+ ok 4")
    alters.say("ok 3")
    check("outwards", skips.hear(), r"\S+ ok 3")
    for one in (skips, alters, observer):
        one.say("cont") if one is skips else None
        one.trace("none")
    check("three", session.end(), (0, "ABCD", ""))


def told(house, guest):
    session = Session(house, [guest, "raise"])
    one = session.connect()
    one.say("signals on")
    line = one.hear()
    check("a signal", line, r"(\d+)\.\1 signal SIGUSR1 \{si_code=SI_TKILL, si_pid=\d+, si_uid=\d+\}")
    one.say("signal SIGUSR2")
    check("replaced", session.end(), (0, f"caught {int(signal.SIGUSR2)}\n", ""))
    session = Session(house, [guest, "raise"])
    one = session.connect()
    one.say("signals on")
    one.hear()
    one.say("drop")
    check("dropped", session.end(), (0, "caught 0\n", ""))
    session = Session(house, [guest, "exec"])
    one = session.connect()
    one.trace("none")
    lines = [re.sub(r"^\S+ ", "", line) for line in iter(one.hear, None)]
    check("exec and exit", lines, ['exec "/bin/true"', "exit 0"])
    session.end()


def interrupted(house, guest):
    """A signal reaches a thread that is stopped; its handler runs, and the call is reported anew."""
    gate_out, gate_in = os.pipe()
    session = Session(house, [guest, "signal", str(gate_out)], pass_fds=(gate_out,))
    one = session.connect()
    one.trace("getppid")
    call(one)
    os.write(gate_in, b".")
    event, seen = call(one)
    check("withdrawn", "withdrawn" in [line.split(" ", 1)[1] for line in seen], True)
    event.answer("cont")
    code, out, err = session.end()
    check("interrupted", (code, out, err), (0, f"caught {int(signal.SIGUSR1)}, and the call was made\n", ""))


def many(house, guest):
    session = Session(house, [guest, "threads"])
    one = session.connect()
    one.trace("getppid")
    stopped = [call(one)[0] for _ in range(40)]  # all at once, none answered
    for event in reversed(stopped):
        event.answer("skip-ok 2")
    check("forty at once", session.end(), (0, "sum 80\n", ""))
    for end in ("hang up", "die"):
        session = Session(house, [guest, "threads"])
        one = session.connect()
        one.trace("getppid")
        for _ in range(40):
            call(one)
        if end == "hang up":
            one.socket.shutdown(2)
        else:  # the hub itself
            session.process.kill()
        one.socket.close()
        out = session.process.communicate(timeout=60)[0].decode()
        check(f"threads go on where controllers {end}", out, r"sum \d+\n")


def tools(house, guest):
    tool = os.path.join(HERE, "controller.py")

    def with_tool(words, command, **more):
        session = Session(house, command, **more)
        session.connect().socket.close()
        helper = subprocess.Popen([sys.executable, tool, session.socket, *words], stderr=subprocess.PIPE)
        result = session.end()
        return result, helper.communicate(timeout=60)[1].decode()

    house.fresh("box")
    for name in ("box/in", "out"):
        with open(house.path(name), "w") as file:
            file.write(name + "\n")
    (_, out, _), text = with_tool(["strace", "write"], ["/bin/echo", "hello"])
    check("strace", text, r'\[\d+\.\d+\] write\(1, "hello\\n", 6\) = 6\n'
          r"\[\d+\.\d+\] \+\+\+ exited with 0 \+\+\+\n")
    (code, out, _), _ = with_tool(["sandbox", house.path("box")],
                                  ["/bin/cat", house.path("box/in"), house.path("out")])
    check("sandbox", (code, out), (1, "box/in\n"))
    (code, out, err), _ = with_tool(["sandbox", house.path("box")], ["/bin/cat", "in", "../out"], cwd=house.path("box"))
    check("sandbox, from within", (code, out, "denied" in err), (1, "box/in\n", True))
    kept, text = house.path("kept"), "".join(f"line {n}\n" for n in range(40000))
    with open(house.path("out"), "w") as file:
        file.write(text)
    with_tool(["record", kept], ["/bin/cat", house.path("out")])
    with open(house.path("out"), "w") as file:
        file.write("other\n")
    (code, out, _), _ = with_tool(["play", kept], ["/bin/cat", house.path("out")])
    check("play", (code, out == text), (0, True))


def places(house, guest):
    with open(house.path("plain"), "w"):
        pass
    for path, why in ((house.path("plain"), "is there, and no socket"), (house.path("no", "where"), "No such file.*"),
                      ("x" * 200, ".*107 bytes")):
        done = subprocess.run([house.command, "control", "-l", path, "--", "true"], capture_output=True, text=True)
        check(path, (done.returncode, bool(re.search(why, done.stderr))), (1, True))
    os.symlink("plain", house.path("link"))
    done = subprocess.run([house.command, "control", "-l", house.path("link"), "--", "true"], capture_output=True)
    check("a symbolic link", done.returncode, 1)


if __name__ == "__main__":
    sys.exit(run_all(sys.argv[1], (examples, memory, three, told, interrupted, many, tools, places),
                     os.path.join(os.path.abspath(sys.argv[1]), "tests", "device", "guest")))
