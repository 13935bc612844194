"""injected.py BUILD: python, bash and redis behave the same under our injected faults as under strace's: the same
output, errors and status. What strace does before our library is there, in the loader, is left alone by the choice of
calls and files."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import House, need_programs  # noqa: E402

READS = "exec 9<{file}; read -r -u 9 a || echo failed; read -r -u 9 b || echo again; echo \"$a $b\""
BASH = [  # what is injected, into calls of {file} alone (strace's -P; ours by path= or fd=), the script
    ("write:error=EINTR:when=1..2", None, "for n in 1 2 3; do echo $n; done; echo $?"),
    ("write:error=ENOSPC:when=2", None, "echo a; echo b; echo $?; printf c || echo failed"),
    ("write:error=EIO:when=1+2", None, "for n in 1 2 3 4 5; do echo $n || echo \"no $n\" >&2; done"),
    ("write:retval=2:when=1", None, "printf abcdef; echo $?"),
    ("pipe,pipe2:error=EMFILE:when=1", None, "echo a | cat; echo $?; echo b | cat"),
    ("clone,clone3,fork,vfork:error=EAGAIN:when=1", None, "/bin/true; echo $?"),
    ("clone,clone3,fork,vfork:error=ENOMEM", None, "/bin/true; echo $?"),
    ("wait4:error=EINTR:when=1", None, "(exit 3); echo $?"),
    ("dup2:error=EBUSY:when=1", None, "echo a >{new}; echo $?; cat {new}"),
    ("openat:error=ENOMEM", "path", "read a <{file}; echo $?; cat {file}; echo $?"),
    ("openat:error=EINTR:when=1", "path", "read a <{file}; echo $? $a; read a <{file}; echo $? $a"),
    ("newfstatat:error=ENOMEM", "path", "[ -e {file} ]; echo $?; [ -d {file} ]; echo $?"),
    ("read:error=EINTR:when=1..3", "fd=9", READS),
    ("read:error=EIO:when=2", "fd=9", READS),
    ("read:error=ENOMEM:when=1", "fd=9", READS),
    ("read:retval=0:when=1", "fd=9", READS),
    ("chdir:error=EACCES", None, "cd /tmp; echo $?; pwd"),
    ("kill:signal=USR1:when=1", None, "trap 'echo caught' USR1; kill -0 $$; echo $?"),
]
FILE = "import os; f = os.open('{file}', os.O_RDONLY)\n"
PYTHON = [
    ("write:error=EINTR:when=1..3", None, "print('a'); print('b')"),
    ("write:error=ENOSPC:when=1", None, "print('a')"),
    ("write:retval=1:when=1", None, "import os; print(os.write(1, b'abc')); os.write(1, b'def')"),
    ("clock_nanosleep:error=EINTR:when=1..2", None, "import time; time.sleep(0.01); print('slept')"),
    ("mremap:error=ENOMEM", None, "a = bytearray(9 << 20)\nfor n in range(9): a += bytes(9 << 20)\nprint(len(a))"),
    ("pread64:retval=5:when=1", "fd=3", FILE + "print(len(os.pread(f, 100, 0)), len(os.pread(f, 100, 0)))"),
    ("pread64:error=EINTR:when=1..2", "fd=3", FILE + "print(os.pread(f, 100, 0))"),
    ("preadv,preadv2:error=EIO", None, FILE + "os.preadv(f, [bytearray(9)], 0)"),
    ("fsync:error=EIO", None, FILE + "os.fsync(f)"),
    ("ftruncate:error=ENOSPC", None, "open('{new}', 'w').truncate(99)"),
    ("fallocate:error=ENOSPC", None, "import os; f = os.open('{new}', os.O_RDWR | os.O_CREAT)\n"
                                     "os.posix_fallocate(f, 0, 100)"),
    ("sendfile:error=ENOSPC:when=2", None, "import shutil\nfor n in 1, 2: shutil.copyfile('{file}', '{new}')"),
    ("socketpair:error=ENOMEM", None, "import socket; socket.socketpair()"),
    ("recvfrom:error=EINTR:when=1..3", None, "import socket; a, b = socket.socketpair()\n"
                                             "a.sendall(b'abc'); print(b.recv(9))"),
    ("sendto:retval=2:when=1", None, "import socket; a, b = socket.socketpair()\na.sendall(b'abcd'); print(b.recv(9))"),
    ("getdents64:error=EIO:when=1", None, "import os; print(len(os.listdir('/proc/self')))"),
    ("epoll_wait,poll:error=EINTR:when=1", None, "import select; p = select.poll(); print(p.poll(10))"),
    ("vfork,clone,clone3,fork:error=ENOMEM", None, "import subprocess; print(subprocess.call(['/bin/true']))"),
    ("unlink:error=EBUSY", None, "import os; open('{new}', 'w'); os.unlink('{new}')"),
    ("rename:error=ENOSPC:when=1", None, "import os; open('{new}', 'w')\n"
                                         "for n in 1, 2: os.rename('{new}', '{new}') or print('done')"),
    ("openat:error=ENOMEM", "path", "open('{file}')"),
    ("openat:error=EINTR:when=1..2", "path", "print(open('{file}').read())"),
]
SERVES = """redis-server --port 0 --unixsocket $PWD/s --save '' --appendonly no --dir $PWD --logfile log &
for n in 1 2 3 4 5 6 7 8 9; do redis-cli -s s ping >$PWD/pong 2>&1 && break; sleep 0.2; done
for n in 1 2 3; do redis-cli -s s set a $n; redis-cli -s s get a; redis-cli -s s save; done
redis-cli -s s shutdown nosave; wait; grep -o 'Write error.*\\|Error moving.*\\|Failed.*' log"""
REDIS = [
    ("fsync:error=EIO:when=1", None, SERVES), ("fsync:error=ENOSPC", None, SERVES),
    ("rename:error=ENOSPC:when=2", None, SERVES), ("epoll_wait:error=EINTR:when=2..9", None, SERVES),
    ("accept,accept4:error=EINTR:when=1..2", None, SERVES), ("accept,accept4:error=EMFILE:when=2", None, SERVES),
]


def compare(house, faults, program, what, where, script):
    found, work = {}, house.path("work")
    for name in ("strace", "ours"):
        shutil.rmtree(work, ignore_errors=True)
        os.mkdir(work)
        file = os.path.join(work, "file")
        with open(file, "w") as made:
            made.write("one\ntwo\nthree\n")
        text = script.replace("{file}", file).replace("{new}", os.path.join(work, "new"))
        trace = house.path("trace")
        shutil.rmtree(trace, ignore_errors=True)
        if name == "strace":
            prefix = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=" + what]
            prefix += ["-P", file] if where else []
        else:
            more = f":path={file}" if where == "path" else f":{where}" if where else ""
            prefix = [house.command, "record", "-q", "-o", trace, "-e", "inject=" + what + more, "--"]
        done = found[name] = house.run([*prefix, program, "-c", text], house.environment(), work, 60)
        done.stdout = re.sub(rb"temp-\d+", b"temp-PID", done.stdout)
    parts = ("status", "stdout", "stderr")
    if any(getattr(found["strace"], part) != getattr(found["ours"], part) for part in parts):
        faults.append(f"{program} {what}: strace {found['strace']}\n  ours {found['ours']}")
    shown = house.sctrace("print", "-f", trace).stdout
    if b"(INJECTED" not in shown and b"SIGUSR1" not in shown:
        faults.append(f"{program} {what}: nothing was injected")


def main(build):
    need_programs(["strace", "bash", "redis-server", "redis-cli"])
    faults = []
    with House(os.path.abspath(build)) as house:
        for program, cases in (("bash", BASH), ("/usr/bin/python3", PYTHON), ("sh", REDIS)):
            for what, where, script in cases:
                compare(house, faults, program, what, where, script)
    for fault in faults:
        print("FAULT", fault)
    print(f"{len(BASH) + len(PYTHON) + len(REDIS)} programs with faults, {len(faults)} otherwise than under strace")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
