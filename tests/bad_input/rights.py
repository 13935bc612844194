"""rights.py BUILD: files that would give rights, executed by who has them and by who has not. What the
kernel says (AT_SECURE), what `sctrace doctor` says and what is in the trace of an exec agree. Needs root."""
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import House, skip  # noqa: E402

NOBODY, OTHER, AT_SECURE, MARKER = 65534, 65533, 23, "/there-is-no-such-place"
PROBE = f"cat /proc/$$/auxv; cd {MARKER}; exit 0"
CASES = [  # name, owner, group, mode, capabilities, who runs it, no_new_privs
    ("setuid to oneself", NOBODY, NOBODY, 0o4755, False, NOBODY, False),
    ("setuid to another", OTHER, NOBODY, 0o4755, False, NOBODY, False),
    ("setuid to another, no new privileges", OTHER, NOBODY, 0o4755, False, NOBODY, True),
    ("setgid to oneself", OTHER, NOBODY, 0o2755, False, NOBODY, False),
    ("setgid to another", NOBODY, OTHER, 0o2755, False, NOBODY, False),
    ("setgid that is none", NOBODY, OTHER, 0o2745, False, NOBODY, False),
    ("capabilities", 0, 0, 0o755, True, NOBODY, False),
    ("capabilities for root", 0, 0, 0o755, True, 0, False),
    ("root's for root", 0, 0, 0o6755, False, 0, False),
    ("another's for root", NOBODY, 0, 0o4755, False, 0, False),
]


def is_secure(auxv):
    words = [struct.unpack_from("QQ", auxv, at) for at in range(0, len(auxv) - 15, 16)]
    return dict(words).get(AT_SECURE, 1) == 1  # who may not even read it has been given rights


def main(build):
    if os.geteuid() != 0:
        skip("needs root")
    failed = False
    with House(os.path.abspath(build)) as house:
        os.chmod(house.root, 0o755)
        for name, owner, group, mode, capable, user, fixed in CASES:
            place, trace = house.fresh("place"), house.path("place", "trace")
            os.chown(place, user, user)
            program = os.path.join(place, "program")
            shutil.copy(os.path.realpath("/bin/sh"), program)
            os.chown(program, owner, group)
            os.chmod(program, mode)
            if capable:  # cap_net_raw=ep, revision 2
                os.setxattr(program, "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
            as_user = {"user": user, "group": user, "extra_groups": [], "cwd": place, "capture_output": True}
            prefix = ["setpriv", "--no-new-privs"] if fixed else []
            start = [*prefix, "/bin/sh", "-c", 'exec "$@"', "sh", program, "-c", PROBE]
            native = subprocess.run(start, env=house.environment(), **as_user)
            traced = subprocess.run(start, env=house.environment("auto", trace), **as_user)
            doctor = subprocess.run([*prefix, house.command, "doctor", program], env=house.environment(), **as_user)
            secure = is_secure(native.stdout)
            seen = MARKER.encode() in house.sctrace("print", "-f", trace).stdout
            able = doctor.returncode == 0
            print(f"{name}: secure {secure}, in the trace {seen}, doctor says {able}")
            if secure == seen or seen != able or native.returncode != traced.returncode:
                print("FAULT", native, traced, doctor)
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
