"""What the tests of stacks share: a guest is run under the library, and of each call that it reports (guest.h) the
recorded stack is put beside what the guest's own unwinder saw."""
import json
import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from traced import DOORS, House, skip  # noqa: E402,F401

REPORTS_TO = 9


def started(program, **options):
    null = os.open("/dev/null", os.O_WRONLY)
    os.dup2(null, REPORTS_TO)
    os.close(null)
    done = subprocess.run(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300, pass_fds=(REPORTS_TO,),
                          **options)
    os.close(REPORTS_TO)
    return done


def absent(tool, faults):
    """Skipped by hand, missing in CI."""
    if shutil.which(tool):
        return False
    print(f"no {tool} here: it is not asked")
    faults += [f"missing in CI: {tool}"] if os.environ.get("CI") else []
    return True


def run(house, name, program, door, how, **more):
    """The guest's first line, and its trace."""
    trace = house.path(f"trace-{name}-{door}-{how}")
    usual = {"SCTRACE_STACK": how, "SCTRACE_STACK_DEPTH": "64", "SCTRACE_STRSIZE": "all",
             "SCTRACE_TRACE": "write,writev,getppid"}
    environment = house.environment(door, trace, **{**usual, **more})
    done = started(program, env=environment)
    if done.returncode:
        raise AssertionError(f"{name}, {door}, {how}: status {done.returncode}")
    return done.stdout.decode().split("\n")[0], trace


def calls(house, trace):
    done = house.sctrace("print", "-f", "--as", "json", trace)
    for line in done.stdout.splitlines():
        event = json.loads(line)
        if event["type"] == "call" and event["name"] != "execve":
            yield event


def is_report(event):
    return event["name"] == "write" and int(event["registers"][0], 16) == REPORTS_TO


def expected(event):
    """The addresses that the guest wrote: the first in report(), then its callers."""
    buffer = event["args"][1]
    data = buffer["text"].encode(buffer.get("encoding", "utf-8"))
    return list(struct.unpack(f"<{len(data) // 8}Q", data))


def frames(event):
    """Without what compilers put into them."""
    return [frame for frame in event.get("stack", {}).get("frames", []) if not frame.get("inlined")]


def recorded(event):
    return [int(frame["address"], 16) for frame in frames(event)]


def shown(event):
    return [f"{frame['address']} {frame.get('symbol', '?')}" for frame in frames(event)]


def compare(house, trace):
    """How many reports there were, how many frames, and what is wrong with the first few."""
    count = total = 0
    faults = []
    for event in calls(house, trace):
        if not is_report(event):
            continue
        count += 1
        wanted, got = expected(event)[1:], recorded(event)[2:]  # without write's own and report's
        total += len(got)
        if got != wanted:
            faults.append("recorded\n    " + "\n    ".join(shown(event)) +
                          "\n  expected behind the second\n    " + "\n    ".join(map(hex, wanted)))
    return count, total, faults
