"""corpus.py PLANS [--whole] [PATH...]: plans of real objects against what objdump reads in them.

For each ELF file below the paths (default: what is installed) that holds the bytes of a syscall: each
site that gets a door is a syscall of objdump's, each window begins and ends at an instruction, no direct
branch anywhere in the object leads between, padding is padding, and stubs hold what was moved. Without
--whole, files with more than 4 MiB of text are left out, and it ends after a minute.
"""
import collections
import os
import re
import subprocess
import sys
import time

DEFAULT = ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/usr/lib", "/usr/bin", "/usr/sbin"]
INSTRUCTION = re.compile(r"^ *([0-9a-f]+):\t(\S+)(?: +(?:bnd )?(?:\*)?([0-9a-f]+)(?: <|$))?")
PADDING = re.compile(r"^(nop|nopw|nopl|xchg|data16|cs|int3|hlt|add|ud2|lea)")


def elf_files(paths):
    seen = set()
    for path in paths:
        for folder, _, names in os.walk(path):
            for name in sorted(names):
                file = os.path.join(folder, name)
                try:
                    stat = os.stat(file)
                    with open(file, "rb") as opened:
                        head = opened.read(20)
                except OSError:
                    continue
                # 64 bits, x86-64, an executable or a shared object
                if head[:6] != b"\x7fELF\x02\x01" or head[18:20] != b"\x3e\x00" or head[16] not in (2, 3):
                    continue
                if (stat.st_dev, stat.st_ino) not in seen:
                    seen.add((stat.st_dev, stat.st_ino))
                    yield file


class Other:
    """What objdump reads in an object."""

    def __init__(self, path):
        self.words, self.targets = {}, collections.defaultdict(list)
        out = subprocess.Popen(["objdump", "-dw", "--no-show-raw-insn", path], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, errors="replace")
        for line in out.stdout:
            if match := INSTRUCTION.match(line):
                at = int(match[1], 16)
                self.words[at] = match[2]
                if match[3] and match[2][0] in "jcl" and not match[2].startswith(("lea", "cmp", "cmov")):
                    self.targets[int(match[3], 16)].append(at)
        out.wait()


def faults(site, tactic, begin, end, other):
    if other.words.get(site) != "syscall":
        yield f"no syscall but {other.words.get(site)}"
    if tactic == "pad":
        for at in range(begin, end):
            if not PADDING.match(other.words.get(at, "nop")):
                yield f"{other.words[at]} at {at:#x} is no padding"
    elif begin not in other.words or end not in other.words:
        yield f"the window {begin:#x}-{end:#x} is not whole instructions"
    for at in range(begin + 1, end):
        for source in other.targets.get(at, ()):
            if not begin <= source < end:
                yield f"{source:#x} branches to {at:#x}, into the window {begin:#x}-{end:#x}"


def plan(plans, files):
    out = subprocess.run([plans, *files], capture_output=True, text=True, check=True).stdout
    objects = []
    for line in out.splitlines():
        kind, *words = line.split(" ")
        if kind == "object":
            path = " ".join(words[:-3])
            objects.append((path, int(words[-2], 0) - int(words[-3], 0), int(words[-1]), [], []))
        elif kind == "site":
            site, tactic, refusal, *rest = words
            objects[-1][3].append((int(site, 0), tactic, refusal, *(int(n, 0) for n in rest)))
        else:
            objects[-1][4].append(" ".join(words))
    return objects


def main(plans, *arguments):
    whole = "--whole" in arguments
    paths = [path for path in arguments if path != "--whole"] or DEFAULT
    if not os.path.exists("/usr/bin/objdump"):
        print("SKIP no objdump")
        return 77
    end = time.monotonic() + 60
    count, sites, wrong, left_out = collections.Counter(), 0, [], 0
    refused = collections.Counter()
    files = list(elf_files(paths))
    for n in range(0, len(files), 16):
        if not whole and time.monotonic() > end:
            left_out += len(files) - n
            break
        for path, text_bytes, candidates, found, bad in plan(plans, files[n:n + 16]):
            count["objects"] += 1
            wrong += [f"{path}: {what}" for what in bad]
            if not found:
                continue
            if text_bytes > 4 << 20 and not whole:
                left_out += 1
                continue
            count["compared"] += 1
            other = Other(path)
            for site, tactic, refusal, begin, end_of, *_ in found:
                sites += 1
                count[tactic] += 1
                if tactic == "trap":
                    refused[refusal] += 1
                    continue
                wrong += [f"{path}: {site:#x} {tactic}: {what}"
                          for what in faults(site, tactic, begin, end_of, other)]
    print(f"{count['objects']} objects, {count['compared']} with sites compared, {left_out} left out; {sites} "
          f"sites:", ", ".join(f"{name} {count[name]}" for name in ("mov", "pad", "before", "after", "trap")))
    print("refused:", ", ".join(f"{name} {n}" for name, n in refused.most_common()) or "none")
    for what in wrong[:40]:
        print("FAULT", what)
    print(len(wrong), "faults")
    return 1 if wrong or not sites else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
