"""redact.py BUILD: SCTRACE_REDACT keeps lengths and drops bytes: a secret that the program moves in every
way it can is nowhere in the trace's files, what is not named is there, and every call with its length.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

SECRET, PLAIN = b"hidden-from-all", b"seen-by-all"
# Moves SECRET over a socket, a file and a pipe by each call that has a buffer, and PLAIN over others.
PROGRAM = """
import os, socket
secret, plain = b"hidden-" + b"from-all", b"seen-" + b"by-all"
a, b = socket.socketpair()
for send, receive in ((lambda: os.write(a.fileno(), secret), lambda: os.read(b.fileno(), 99)),
                      (lambda: a.send(secret), lambda: b.recv(99)),
                      (lambda: a.sendmsg([secret[:5], secret[5:], secret]), lambda: b.recvmsg(99)),
                      (lambda: os.writev(a.fileno(), [secret, secret]), lambda: os.readv(b.fileno(), [bytearray(99)]))):
    send(), receive()
fd = os.open("secret.txt", os.O_RDWR | os.O_CREAT, 0o600)
os.dup2(fd, 40)
os.write(40, secret), os.pwritev(fd, [secret], 0), os.lseek(fd, 0, 0), os.read(fd, 99), os.pread(40, 99, 0)
os.setxattr("secret.txt", "user.x", secret) if os.environ.get("XATTR") else None
r, w = os.pipe()
os.write(w, plain), os.read(r, 99)
"""
CASES = {  # setting: what else of SECRET's calls stays out; which of socket and file are dropped
    "%network,path=*/secret.txt": (True, True),
    "%net,fd=40,path=*secret*": (True, True),
    "path=*/secret.txt": (False, True),
    "%network": (True, False),
    "read,write,readv,writev,pread64,pwritev,pwritev2,%network": (True, True),
}
MODES = [{}, {"SCTRACE_DOORS": "trap"}, {"SCTRACE_EXACT": "1"}, {"SCTRACE_STRSIZE": "all"},
         {"SCTRACE_CAPTURE": "out"}, {"SCTRACE_CAPTURE": "in"}]


def bytes_of(path):
    """Without its holes: a file of rings is sparse."""
    whole, at = b"", 0
    with open(path, "rb") as file:
        while at < os.fstat(file.fileno()).st_size:
            try:
                begin = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:  # no more data
                break
            at = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            whole += os.pread(file.fileno(), at - begin, begin)
    return whole


def contents(trace):
    return b"".join(bytes_of(os.path.join(trace, name)) for name in os.listdir(trace))


def faults_of(house, setting, dropped, mode):
    trace, work = house.path("trace"), house.fresh("work")
    env = house.environment("auto", trace, SCTRACE_REDACT=setting, **mode)
    done = house.run([sys.executable, "-c", PROGRAM], env, work)
    if done.status or done.stderr:
        yield f"the program: {done.status} {done.stderr}"
    kept = contents(trace).count(SECRET) > 0
    if kept == all(dropped):
        yield f"the secret is {'there' if kept else 'gone'}"
    if PLAIN not in contents(trace) and "write" not in setting:
        yield "what was not named is gone"
    shown = house.sctrace("print", "-f", trace).stdout.decode()
    wrote = [line for line in shown.splitlines() if "write(" in line and " = 15" in line]
    taken = mode.get("SCTRACE_CAPTURE") != "out"
    if len(wrote) != 2 or (taken and all(dropped) and not all('""..., 15)' in line for line in wrote)):
        yield f"write() shows as {wrote}"
    if house.sctrace("check", trace).returncode:
        yield "check refuses the trace"


def main(build):
    failed = False
    with House(os.path.abspath(build)) as house:
        for setting, dropped in CASES.items():
            for mode in MODES:
                for fault in faults_of(house, setting, dropped, mode):
                    print(f"FAULT {setting} {mode}: {fault}")
                    failed = True
                house.fresh("trace")
                os.rmdir(house.path("trace"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
