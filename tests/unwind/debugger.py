"""debugger.py BUILD PROGRAM: gdb's scripts natively and through both doors: what they say, what the program
says, and how it ends.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import DOORS, House, skip  # noqa: E402

QUIET = ["set pagination off", "set confirm off", "set print frame-arguments none",
         "handle SIGSYS SIGUSR1 nostop noprint pass", "echo so far\\n"]
CALLS = ["print (int)getpid() > 0", "print called(5)", "print called(6)", "print (int)usleep(2000)",
         "print (long)write(-1, 0, 0)", "print (int)close(-1)", "print (int)system(\"exit 3\")"]
# In a process that is blocked in a call; gdb lets go of it afterwards.
ATTACHED = {
    "backtrace": ["bt"],
    "functions are called in it": [*CALLS, "bt"],
    "one in the midst of another": ["break called", "print called(7)", "bt", "print called(8)", "finish",
                                    "bt", *CALLS],
    "a call that is left": ["break called", "print called(7)", "return", "delete"],
    "steps": ["shell printf z >STDIN", "frame function block", "finish", "next", "next"],
    "core": ["generate-core-file FOLDER/core", "print called(5)"],
}
# From the start of the program on.
STARTED = {
    "stops and goes on": ["break called", "run <FOLDER/in >FOLDER/out", "bt", "next", "next", "finish", "continue"],
    "stops in calls": ["start <FOLDER/in >FOLDER/out", "tbreak getppid", "continue", "bt",
                       "finish", "tbreak _exit", "continue", "bt", "continue"],
    "steps over calls": ["start <FOLDER/in >FOLDER/out", *["next"] * 12, "continue"],
    "breakpoints that were there first": [
        "set breakpoint pending on", "break -qualified write", "break -qualified read", "break getppid",
        "run <FOLDER/in >FOLDER/out", "bt", "continue", "bt", "delete", "continue"],
    "catches signals": ["handle SIGUSR1 stop print pass", "run <FOLDER/in >FOLDER/out", "bt", "continue"],
}
FED = b"abcdef"


def gdb(arguments, commands, folder, env=None):
    commands = [command.replace("FOLDER", folder) for command in [*QUIET, *commands]]
    script = [word for command in commands for word in ("-ex", command)]
    done = subprocess.run(["gdb", "-nx", "-q", "-batch", *script, *arguments], env=env, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=300)
    return said(done.stdout, folder)


def said(text, folder):
    """Without addresses, numbers of processes, and the one frame more that our code is."""
    lines = []
    for line in text.split("so far\n", 1)[1].splitlines():  # before it: where it stood
        if re.match(r"\[|Using host|SIGSYS|SIGUSR1|Signal +Stop|warning|Saved|$", line):
            continue
        if "signal handler called" in line:
            continue
        line = re.sub(r"0x[0-9a-f]+( in )?|process \d+|^#\d+ +|at \.\./.*|from /.*", "", line).replace(folder, "")
        line = re.sub(r"^\d+\t(in )?\.\..*|buf=.*|\(.*", "", line).strip()
        if line and lines[-1:] != [line]:
            lines.append(line)
    return lines


def is_asleep(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "S"


def attached(program, env, commands, folder):
    child = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
    child.stdout.read(1)
    while not is_asleep(child.pid):
        os.sched_yield()
    commands = [command.replace("STDIN", f"/proc/{child.pid}/fd/0") for command in commands]
    shown = gdb(["-p", str(child.pid)], commands, folder)
    out = child.communicate(FED)[0]
    return shown, out, child.returncode


def started(program, env, commands, folder):
    with open(os.path.join(folder, "in"), "wb") as file:
        file.write(FED)
    more = {name: env[name] for name in env if name.startswith("SCTRACE_") or name == "LD_PRELOAD"}
    setting = [f"set environment {name} {value}" for name, value in more.items()]
    plain = {name: value for name, value in env.items() if name not in more}
    shown = gdb([program], ["set startup-with-shell on", *setting, *commands], folder, plain)
    with open(os.path.join(folder, "out"), "rb") as file:
        return shown, file.read()


def core(program, folder):
    found = [name for name in os.listdir(folder) if name.startswith("core")]
    return gdb([program, os.path.join(folder, found[0])], ["bt"], folder) if found else None


def main(build, program):
    if not shutil.which("gdb"):
        skip("no gdb here")
    faults = 0
    with House(build) as house:
        def outcomes(door):
            for table, way in ((ATTACHED, attached), (STARTED, started)):
                for name, commands in table.items():
                    folder = house.fresh("work")
                    env = house.environment(door, house.path(f"trace-{door}") if door else None)
                    yield name, (*way(program, env, commands, folder), core(program, folder))

        native = dict(outcomes(None))
        for name, outcome in native.items():
            print(name, *outcome, sep="\n    ")
        for door in DOORS:
            for name, outcome in outcomes(door):
                if outcome != native[name]:
                    faults += 1
                    print(f"FAULT {door}, {name}:", *outcome, sep="\n    ")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
