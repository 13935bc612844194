"""stand.py BUILD SHAPES GARBAGE PLUGINS POINTERS PLUGIN...: what stacks have to stand: text that is replaced
(plugins), registers that are no stack, a ring that is overwritten, filters that take calls back, births, a depth
that cuts, frame pointers alone. Signals at any instruction are in tests/way, all other hazards in tests/guest."""
import os
import sys

from stacks import DOORS, House, calls, compare, expected, frames, is_report, recorded, run


def same(house, faults, what, name, program, door, how, least=1, **more):
    oracle, trace = run(house, f"{name}-{what.replace(' ', '-')}", program, door, how, **more)
    count, total, wrong = compare(house, trace)
    print(f"{what}, {door}, {how}: {count} stacks of {total} frames, {len(wrong)} other than {oracle}'s")
    faults += [f"{what}, {door}, {how}: {one}" for one in wrong[:2]]
    if count < least:
        faults.append(f"{what}, {door}: only {count} stacks")
    return trace


def check_depth(house, faults, shapes):
    """The innermost, and it is said that there are more."""
    trace = house.path("trace-depth")
    _, trace = run(house, "depth", [shapes, "300"], "auto", "unwind", SCTRACE_STACK_DEPTH="5")
    cut = 0
    for event in calls(house, trace):
        if not is_report(event):
            continue
        wanted, got = expected(event)[1:], recorded(event)[2:]
        if got != wanted[:3]:
            return faults.append(f"depth 5: {got} of {wanted}")
        if (event["stack"].get("end") == "cut") != (len(wanted) > 3):
            return faults.append(f"depth 5: end {event['stack'].get('end')} of {len(wanted)}")
        cut += len(wanted) > 3
    if cut < 100:
        faults.append(f"depth 5: only {cut} were cut")


def check_births(house, faults, shapes, door):
    """vfork has its return address in a register, clone3 no rule."""
    _, trace = run(house, "births", [shapes, "8"], door, "unwind", SCTRACE_TRACE="vfork,clone3")
    seen = [(event["name"], [frame.get("symbol") for frame in frames(event)]) for event in calls(house, trace)]
    callers = {name: {tuple(names[1:3]) for call, names in seen if call == name} for name in ("vfork", "clone3")}
    if len(seen) != 11 or callers["vfork"] != {("with_vfork", "main")} or \
            not all("main" in names for _, names in seen):
        faults.append(f"births, {door}: {seen}")


def check_pointers(house, faults, pointers):
    """With frame pointers everywhere but in libc only the caller of libc's own function is missed."""
    _, trace = run(house, "pointers", [pointers], "auto", "fp")
    count = 0
    for event in calls(house, trace):
        if is_report(event):
            count += 1
            wanted, got = expected(event)[1:], recorded(event)[1:]
            inside = len([one for one in wanted if one >> 40 == wanted[0] >> 40])  # in the program itself, up to main
            if got[:inside - 1] != wanted[:inside - 1]:
                return faults.append(f"fp: {list(map(hex, got))} of {list(map(hex, wanted))}")
            if not event["stack"].get("guessed"):
                return faults.append("fp: not called a guess")
    if count < 100:
        faults.append(f"fp: only {count} stacks")


def main(build, shapes, garbage, plugins, pointers, *two):
    build, faults = os.path.abspath(build), []
    with House(build) as house:
        for door in DOORS:
            same(house, faults, "plugins", "plugins", [plugins, *two], door, "unwind", 1000)
            same(house, faults, "a small ring", "shapes", [shapes, "2000"], door, "auto", 30,
                 SCTRACE_BUFFER="64K", SCTRACE_MODE="overwrite")
            same(house, faults, "judged at the end", "shapes", [shapes, "2000"], door, "auto", 1000,
                 SCTRACE_FILTER="ret>100 || dur>=0s")
            same(house, faults, "taken back", "shapes", [shapes, "2000"], door, "auto", 300,
                 SCTRACE_FILTER="ret>100")
            same(house, faults, "exact", "shapes", [shapes, "300"], door, "auto", 100, SCTRACE_EXACT="1")
            for how in ("fp", "unwind", "auto"):
                trace = house.path(f"trace-garbage-{door}-{how}")
                done = house.run([garbage], house.environment(door, trace, SCTRACE_STACK=how), house.root)
                if done.status != 0 or done.stdout != b"0 wrong\n":
                    faults.append(f"garbage, {door}, {how}: {done}")
            check_births(house, faults, shapes, door)
        check_depth(house, faults, shapes)
        check_pointers(house, faults, pointers)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
