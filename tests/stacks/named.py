"""named.py BUILD SHAPES JIT: addresses get their names: functions of files, of code that a JIT compiler made, of an
interpreter; and every form that has stacks shows them: print -k beside strace's own, summary, exports."""
import collections
import json
import os
import re
import shutil
import subprocess
import sys

from stacks import House, absent, calls, frames, is_report, recorded, run, started


def symbols(event):
    return [frame.get("symbol", "?") for frame in frames(event)]


def check_jit(house, faults, jit):
    _, trace = run(house, "jit", [jit], "auto", "auto")
    seen = [event for event in calls(house, trace) if is_report(event)]
    for map_file in {f"/tmp/perf-{event['pid']}.map" for event in seen}:
        os.unlink(map_file)
    names = [symbols(event) for event in seen]
    if len(names) != 20 or any(one[2:5] != ["made at run time", "call_it", "main"] for one in names):
        faults.append(f"jit: {names[:2]}")
    if not all(event["stack"].get("guessed") for event in seen):
        faults.append("jit: not called a guess")
    check_inlined(house, faults, seen)


def check_debuginfod(house, faults, jit):
    """A stripped program's names, from where debuginfod's client keeps what it has fetched."""
    program, debug = house.path("stripped"), house.path("debuginfo")
    for command in (["objcopy", "--only-keep-debug", jit, debug], ["strip", "-s", "-o", program, jit]):
        subprocess.run(command, check=True)
    notes = subprocess.run(["readelf", "-n", jit], capture_output=True, text=True).stdout
    build_id = re.search(r"Build ID: ([0-9a-f]+)", notes).group(1)
    _, trace = run(house, "stripped", [program], "auto", "auto")
    for pid in {event["pid"] for event in calls(house, trace)}:
        os.unlink(f"/tmp/perf-{pid}.map")
    for variable, place in ((None, None), ("HOME", ".cache/debuginfod_client"), ("XDG_CACHE_HOME", "debuginfod_client"),
                            ("DEBUGINFOD_CACHE_PATH", "")):
        cache = house.path("cache-" + str(variable))
        environment = {name: value for name, value in os.environ.items() if "CACHE" not in name}
        environment.update({"HOME": house.root, **({variable: cache} if variable else {})})
        if variable:
            os.makedirs(os.path.join(cache, place, build_id))
            shutil.copy(debug, os.path.join(cache, place, build_id, "debuginfo"))
        shown = subprocess.run([house.command, "print", "-k", "-e", "trace=write", trace], env=environment,
                               capture_output=True, text=True, timeout=60).stdout
        if ("(call_it+" in shown) != bool(variable) or "(main+" in shown and not variable:
            faults.append(f"debuginfod, {variable}: {shown[:600]}")


def check_inlined(house, faults, events):
    """libdw is optional where sctrace is built."""
    linked = subprocess.run(["ldd", house.command], capture_output=True, text=True).stdout
    if "libdw" not in linked:
        print("built without libdw: inlined functions are not asked for")
        faults += ["missing in CI: libdw"] if os.environ.get("CI") else []
        return
    seen = [[(frame.get("symbol"), frame.get("inlined", False)) for frame in event["stack"]["frames"]]
            for event in events]
    wanted = [("put_deeper", True), ("put_inside", True), ("call_it", False), ("main", False)]
    if any(one[3:7] != wanted for one in seen):
        faults.append(f"inlined: {seen[:1]}")


def check_python(house, faults):
    python = shutil.which("python3", path="/usr/bin") or sys.executable
    program = "import os\ndef f(n):\n  return f(n - 1) if n else os.write(9, b'abcdefgh')\nfor n in range(50): f(n % 5)"
    _, trace = run(house, "python", [python, "-S", "-c", program], "auto", "unwind", SCTRACE_STACK_DEPTH="200")
    seen = [event for event in calls(house, trace) if is_report(event)]
    if len(seen) != 50:
        faults.append(f"python: {len(seen)} writes")
    for event in seen[:5]:
        names = symbols(event)
        if event["stack"].get("end") or names[-1] != "_start" or not any("Py" in name for name in names):
            faults.append(f"python: {event['stack'].get('end')} {names}")


def places(shown):
    """Of lines as strace -k writes them: object, symbol, offset in it, offset in the file. Of calls alone: we have
    no stack of a signal."""
    form = re.compile(r"^ > (/\S+?)\((.*?)(\+0x[0-9a-f]+)?\) \[(0x[0-9a-f]+)\]$")
    of_call = False
    for line in shown.splitlines():
        if line.startswith(" >"):
            if of_call and (found := form.match(line)):
                yield found.groups()
        else:
            of_call = not line.startswith(("---", "+++"))


def check_strace(house, faults, shapes, trace):
    """Each line of strace -k is one of ours; strace itself only where it may trace, and knows stacks."""
    if absent("strace", faults):
        return
    ours = house.sctrace("print", "-k", "-e", "trace=write", trace).stdout.decode()
    to = house.path("strace.txt")
    done = started(["strace", "-k", "-e", "trace=write", "-o", to, shapes, "100"])
    if done.returncode:
        print("strace -k does not work here:", done.stderr.decode()[:200])
        return
    # What libunwind does by itself differs from run to run.
    theirs = {place for place in places(open(to).read()) if "libunwind" not in place[0]}
    mine = set(places(ours))
    program = {row for row in theirs if row[0] == shapes}
    print(f"strace -k: {len(theirs)} places, {len(theirs & mine)} the same here")
    unseen = {(row[0], row[3]) for row in theirs} - {(row[0], row[3]) for row in mine}
    if unseen or not program or program - mine:
        faults.append(f"strace -k has {sorted(unseen)[:4]} {sorted(program - mine)[:4]}, print -k {sorted(mine)[:4]}")


def check_forms(house, faults, trace):
    total = sum(event["name"] == "write" for event in calls(house, trace))
    rows = json.loads(house.sctrace("summary", "--by", "stack", "--json", trace).stdout)["rows"]
    with_stack = [row for row in rows if row["name"].endswith(";write")]
    if sum(row["calls"] for row in with_stack) != total or len(with_stack) < 20:
        faults.append(f"summary --by stack: {len(with_stack)} rows of {sum(r['calls'] for r in with_stack)} of {total}")
    depths = {row["name"]: row["calls"] for row in
              json.loads(house.sctrace("summary", "--by", "depth", "--json", trace).stdout)["rows"]}
    listed = {}
    for event in (json.loads(line) for line in house.sctrace("print", "--json", trace).stdout.splitlines()):
        if event["type"] == "call" and event.get("stack"):
            real = sum(not frame.get("inlined") for frame in event["stack"]["frames"])
            listed[real] = listed.get(real, 0) + 1
    told = {int(name.split()[0]): n for name, n in depths.items() if name != "-"}
    if told != listed or not told:
        faults.append(f"summary --by depth: {sorted(told.items())} of {sorted(listed.items())}")
    folded = house.sctrace("export", "--to", "folded", "--by", "count", trace).stdout.decode().splitlines()
    weights = [int(line.rsplit(" ", 1)[1]) for line in folded if ";report;" in line]
    if sum(weights) != sum(row["calls"] for row in with_stack if ";report;" in row["name"]):
        faults.append(f"folded: {sum(weights)} calls")
    for form, mark in (("speedscope", b'"name":"report"'), ("chrome", b'"report+0x'), ("perfetto", b"report"),
                       ("firefox", b'"report"'), ("json", b'"symbol":"report"')):
        done = house.sctrace("export", "--to", form, trace)
        if done.returncode or mark not in done.stdout:
            faults.append(f"export --to {form}: no {mark} {done.stderr[:200]}")
    check_pprof(house, faults, trace)
    check_perf(house, faults, trace)
    check_ctf(house, faults, trace)
    check_tracedat(house, faults, trace)


def check_pprof(house, faults, trace):
    if absent("go", faults):
        return
    to = house.path("profile.pb.gz")
    house.sctrace("export", "--to", "pprof", "-o", to, trace)
    shown = subprocess.run(["go", "tool", "pprof", "-peek", "^report$", to], capture_output=True, text=True,
                           env={**os.environ, "HOME": house.root}).stdout
    if not re.search(r"\| +down\b", shown) or not re.search(r"\| +report$", shown, re.M):
        faults.append(f"pprof: {shown[:600]}")


def check_perf(house, faults, trace):
    if absent("perf", faults):
        return
    to = house.path("perf.data")
    house.sctrace("export", "--to", "perf", "-o", to, trace)
    shown = subprocess.run(["perf", "script", "-f", "-i", to, "-F", "event,ip,sym"], capture_output=True, text=True,
                           env={**os.environ, "HOME": house.root}).stdout
    chains = [block.split("\n") for block in shown.split("\n\n")]
    reports = [[line.split()[1] for line in chain if re.match(r"\s+[0-9a-f]+ \S", line)] for chain in chains]
    reports = [chain for chain in reports if "report" in chain]
    if len(reports) < 100 or not all("down" in chain for chain in reports):
        faults.append(f"perf script: {len(reports)} chains with report: {shown[:800]}")


def chains(house, trace):
    """How often each chain of callers was there: addresses, and names as lines and rows have them."""
    count = collections.Counter()
    for event in calls(house, trace):
        if frames(event):
            names = [frame.get("symbol") or "?" for frame in event["stack"]["frames"]]
            count[tuple(recorded(event)), tuple(names)] += 1
    return count


def is_named(shown, names):
    """What has no symbol is shown by its object."""
    return len(shown) == len(names) and all(a == b or b == "?" for a, b in zip(shown, names))


def check_ctf(house, faults, trace):
    if absent("babeltrace2", faults):
        return
    to = house.path("ctf")
    house.sctrace("export", "--to", "ctf", "-o", to, trace)
    shown = subprocess.run(["babeltrace2", to], capture_output=True, text=True).stdout
    form = (r"syscall_entry_\w+: .*?, _callstack_user_length = ([1-9]\d*), callstack_user = \[ (.*?) \], "
            r"callers = \"(.*?)\" \}, ")
    ours, theirs = chains(house, trace), collections.Counter()
    for length, addresses, callers in re.findall(form, shown):
        taken = tuple(int(one, 16) for one in re.findall(r"= (0x[0-9A-Fa-f]+)", addresses))
        theirs[taken] += 1
        if len(taken) != int(length) or not any(
                is_named(callers.split(";")[::-1], names) for known, names in ours if known == taken):
            faults.append(f"ctf: {length} {addresses} {callers}")
    by_place = collections.Counter()
    for (known, _), n in ours.items():
        by_place[known] += n
    if not theirs or theirs != by_place:
        faults.append(f"ctf: {sum(theirs.values())} stacks of {sum(ours.values())}: {shown[:1500]}")


def check_tracedat(house, faults, trace):
    if absent("trace-cmd", faults):
        return
    to = house.path("trace.dat")
    house.sctrace("export", "--to", "tracedat", "-o", to, trace)
    shown = subprocess.run(["trace-cmd", "report", "-i", to], capture_output=True, text=True).stdout
    ours, theirs, before = chains(house, trace), 0, ""
    for line in shown.splitlines():
        found = re.search(r"\d: user_stack: +=> (.*)$", line)
        if found:
            theirs += 1
            if "sys_enter:" not in before or not any(
                    is_named(found.group(1).split(" => "), names) for _, names in ours):
                faults.append(f"trace-cmd: {line} after {before}")
        before = line
    if not theirs or theirs != sum(ours.values()):
        faults.append(f"trace-cmd: {theirs} stacks of {sum(ours.values())}: {shown[:1500]}")


def main(build, shapes, jit):
    faults = []
    with House(os.path.abspath(build)) as house:
        check_jit(house, faults, jit)
        check_debuginfod(house, faults, jit)
        check_python(house, faults)
        _, trace = run(house, "named", [shapes, "200"], "auto", "unwind", SCTRACE_FOLLOW="none")
        check_forms(house, faults, trace)
        check_strace(house, faults, shapes, trace)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
