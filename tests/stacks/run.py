"""run.py BUILD PROGRAM...: the stack of each reported call equals what libunwind sees in the guest, through
both doors."""
import os
import sys

from stacks import DOORS, House, compare, run

TIMES, LEAST = 1500, 1000


def main(build, *programs):
    faults = []
    if not any(program.endswith("rust") for program in programs):
        print("no rustc here: Rust is skipped")
        faults += ["missing in CI: rustc"] if os.environ.get("CI") else []
    with House(os.path.abspath(build)) as house:
        for program in programs:
            name = os.path.basename(program)
            for door in DOORS:
                for how in ("unwind", "auto"):
                    oracle, trace = run(house, name, [program, str(TIMES)], door, how)
                    count, frames, wrong = compare(house, trace)
                    where = f"{name}, {door}, {how}"
                    print(f"{where}: {count} stacks of {frames} frames, {len(wrong)} other than {oracle}'s")
                    faults += [f"{where}: {one}" for one in wrong[:3]]
                    if count < LEAST or frames < 4 * count:
                        faults.append(f"{where}: {count} stacks, {frames} frames")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
