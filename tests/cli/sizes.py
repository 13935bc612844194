"""sizes.py BUILD: SCTRACE_STRSIZE by call: what is kept of one call's buffer says nothing of another's."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House  # noqa: E402

BYTES = 600
CASES = {  # setting: bytes kept of read's buffer and of write's
    "64": (64, 64),
    "all": (BYTES, BYTES),
    "64,read=all": (BYTES, 64),
    "64,%desc=100,write=200": (100, 200),
    "read=32": (32, 256),
}


def kept(shown, call):
    line = next(line for line in shown.splitlines() if line.startswith(call) and f", {BYTES})" in line)
    return line.count("\\0"), "..." in line


NETLINK = """
import socket, struct
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.send(struct.pack("=IHHII", 16 + 16 + 900, 18, 0x301, 1, 0) + bytes(16 + 900))
s.close()
a, b = socket.socketpair()
a.send(bytes(932))
"""


def netlink_faults(house):
    """Messages of netlink are structs, and kept whole; other data of that length are not."""
    trace = house.path("trace")
    house.run([sys.executable, "-c", NETLINK], house.environment("auto", trace), house.fresh("work"))
    shown = house.sctrace("print", "-f", "-e", "sendto", "-s", "4096", trace).stdout.decode().splitlines()
    if len(shown) < 2 or "nlmsg_len=932" not in shown[0] or "..." in shown[0] or '"...' not in shown[1]:
        yield f"of netlink: {shown}"


def main(build):
    failed = False
    with House(os.path.abspath(build)) as house:
        for setting, (read, write) in CASES.items():
            trace = house.path("trace")
            env = house.environment("auto", trace, SCTRACE_STRSIZE=setting)
            house.run(["dd", "if=/dev/zero", "of=/dev/null", f"bs={BYTES}", "count=1"], env, house.fresh("work"))
            shown = house.sctrace("print", "-s", "4096", trace).stdout.decode()
            for call, n in (("read", read), ("write", write)):
                if kept(shown, call) != (n, n < BYTES):
                    print(f"FAULT {setting}: of {call} {kept(shown, call)}, expected {n}")
                    failed = True
            house.fresh("trace")
            os.rmdir(trace)
        for fault in netlink_faults(house):
            print(f"FAULT {fault}")
            failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
