"""trouble.py BUILD: what controllers, sockets and filters may do to the device, and the program goes on: other users,
paths that are taken, clients by the thousand, those that die, stop, flood or say nonsense, a thousand threads that
wait, and a filter of the program that kills who asks for a futex."""
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import frames as f
from session import Session, call, check, run_all
from traced import House  # noqa: F401


def serves(house, guest):
    """A hub of its own, without a program."""
    path = house.path("hub")
    hub = subprocess.Popen([house.command, "control", "-l", path], stderr=subprocess.PIPE)
    while not os.path.exists(path):
        time.sleep(0.01)
    return hub, path


def ends(hub):
    hub.terminate()
    return hub.wait(10), hub.stderr.read().decode()


def places(house, guest):
    hub, path = serves(house, guest)
    check("for its user alone", oct(os.stat(path).st_mode & 0o777), "0o600")
    second = subprocess.run([house.command, "control", "-l", path], capture_output=True, text=True)
    check("another hub", (second.returncode, "another hub serves there" in second.stderr), (1, True))
    hub.kill()
    hub.wait()
    check("a stale socket", os.path.exists(path), True)
    hub, _ = serves(house, guest)
    time.sleep(0.1)  # until the stale one is taken away
    one = socket.socket(socket.AF_UNIX)
    check("is replaced", one.connect_ex(path), 0)
    check("a hub that is asked to end", ends(hub), (0, ""))
    check("leaves nothing", os.path.exists(path), False)
    with open(house.path("secret"), "w") as file:
        file.write("kept")
    for name, target in (("link", "secret"), ("dangling", "nowhere")):
        os.symlink(target, house.path(name))
        done = subprocess.run([house.command, "control", "-l", house.path(name)], capture_output=True, text=True)
        check(name, (done.returncode, len(done.stderr.splitlines())), (1, 1))
    check("what it leads to", open(house.path("secret")).read(), "kept")
    check("or would", os.path.exists(house.path("nowhere")), False)


def other_users(house, guest):
    if os.getuid() != 0 or not shutil.which("setpriv"):
        return print("other users: needs root and setpriv")
    hub, path = serves(house, guest)
    os.chmod(path, 0o777)
    os.chmod(house.root, 0o755)
    ask = ("import socket; s = socket.socket(socket.AF_UNIX); "
           f"s.connect({path!r}); s.send(b'nonsense\\n'); print(s.recv(9))")
    for user, answer in (("0", "b'error non'\n"), ("65534", "(b''\n)?")):
        done = subprocess.run(["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "/usr/bin/python3",
                               "-c", ask], capture_output=True, text=True, cwd="/")
        check(f"user {user}: {done.stderr}", done.stdout, answer)
    ends(hub)


def crowds(house, guest):
    """A thousand clients that come and go, some in the midst of a word, while one works."""
    session = Session(house, [guest, "calls", "400"])
    one = session.connect()
    one.trace("getppid")
    random.seed(7)
    garbage = [b"", b"tra", b"trace getppid\n", b"\0sctrace", b"\xff\xfe\n\n\n", b"packed\n\1\0\0\0",
               b"signals on\nskip-ok 1\n"]
    for n in range(1000):
        other = socket.socket(socket.AF_UNIX)
        other.connect(session.socket)
        other.sendall(random.choice(garbage))
        other.close()
        if n % 5 == 0:
            call(one)[0].answer("skip-ok 3")
    one.trace("none")
    end = session.end()
    check("a crowd", (end[0], end[1].count("\n"), end[1].count("3\n") >= 200), (0, 400, True))


def deaths(house, guest):
    """Controllers that die, are stopped, or never answer: their threads go on, the others' keep waiting."""
    script = ("import sys; sys.path.insert(0, sys.argv[2]); from controller import Controller\n"
              "c = Controller(sys.argv[1]); c.say('patience 100ms'); c.trace('getppid')\n"
              "print('there', flush=True); c.hear(); c.hear(); input()")
    here = os.path.dirname(os.path.abspath(__file__))
    for end in (signal.SIGKILL, signal.SIGSTOP):
        session = Session(house, [guest, "calls", "3"])
        inner = session.connect()
        inner.say("nonsense")
        inner.hear()
        outer = subprocess.Popen([sys.executable, "-c", script, session.socket, here], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE)
        outer.stdout.readline()
        inner.trace("getppid")
        outer.send_signal(end)
        began, answered = time.monotonic(), 0
        while answered < 2:
            call(inner)[0].answer("skip-ok 5")
            answered += 1
        check(f"{end.name}: others go on soon", time.monotonic() - began < 5, True)
        inner.trace("none")
        check(f"{end.name}", session.end()[1].count("5\n") >= 2, True)
        outer.kill()
        outer.wait(), outer.stdin.close(), outer.stdout.close()
    session = Session(house, [guest, "calls", "20000"])
    one = session.connect()
    one.say("limit 4096")
    try:
        one.socket.sendall(b"trace all\n" + b"x" * (5 << 20))  # a line without an end
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has been hung up on
    check("floods", session.end()[1].count("\n"), 20000)


def thousand(house, guest):
    session = Session(house, [guest, "threads", "1000"])
    one = session.connect()
    one.trace("getppid")
    stopped = [call(one)[0] for _ in range(1000)]
    check("all are others", len({event.thread for event in stopped}), 1000)
    for event in reversed(stopped):
        event.answer("skip-ok 2")
    check("a thousand at once", session.end(), (0, "sum 2000\n", ""))


def filtered(house, guest):
    """A filter that kills for futex: calls are no longer stopped, which is told; a thread that waits goes on."""
    session = Session(house, [guest, "nofutex"])
    one = session.connect(f.Packed)
    one.say(f.TRACE, b"getppid")
    lost = seen = 0
    while (heard := one.hear()) is not None:
        if heard.kind == f.CALL:
            seen += 1
            one.say_number(f.SKIP, 7)
        elif heard.kind == f.LOST:
            lost += heard.number
    code, out, err = session.end()
    check("under a filter", (code, err), (0, ""))
    check("before it and after", out, r"7 then \d+ \d+ \d+\n")
    check("told: three calls, and the end", (seen, lost), (1, 4))
    go_out, go_in = os.pipe()
    session = Session(house, [guest, "tsync", str(go_out)], pass_fds=(go_out,))
    one = session.connect()
    one.trace("getppid")
    event, _ = call(one)
    os.write(go_in, b".")
    check("it waits no longer", one.hear(), re.escape(event.thread) + " withdrawn")
    one.trace("none")
    check("and goes on", session.end(), (0, "the call was made\n", ""))


if __name__ == "__main__":
    parts = (places, other_users, crowds, deaths, thousand, filtered)
    sys.exit(run_all(sys.argv[1], parts, os.path.join(os.path.abspath(sys.argv[1]), "tests", "device", "guest")))
