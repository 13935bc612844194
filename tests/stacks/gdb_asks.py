"""Run by gdb: the callers at some entries of libc's write(), chosen by chance. One line of JSON each: the thread, which
of its entries it was, where each frame goes on, innermost first, and its name; null where gdb knows none."""
import collections
import json
import random
import re

import gdb

frames_most = 200
one_in, seed, offset = (int(gdb.convenience_variable(name)) for name in ("one_in", "seed", "offset"))
to = open(gdb.convenience_variable("to").string(), "w")
chance = random.Random(seed)


def frames():
    frame, said = gdb.newest_frame(), []
    while frame and len(said) < frames_most:
        if frame.type() != gdb.INLINE_FRAME:
            said.append((int(frame.pc()), frame.name()))
        frame = frame.older()
    return said


class Entry(gdb.Breakpoint):
    entries = collections.Counter()

    def stop(self):
        thread = gdb.selected_thread().ptid[1]
        self.entries[thread] += 1
        if chance.randrange(one_in) == 0:
            print(json.dumps([thread, self.entries[thread], frames()]), file=to, flush=True)
        return False


# Where the loader hands over: all libraries are there, and have begun.
start = re.search(r"Entry point: (0x[0-9a-f]+)", gdb.execute("info files", to_string=True))
gdb.execute(f"tbreak *{start.group(1)}")
gdb.execute("continue")
base = re.search(r"^ *(0x[0-9a-f]+) .*/libc\.so", gdb.execute("info proc mappings", to_string=True), re.M)
Entry(f"*{int(base.group(1), 16) + offset:#x}")
gdb.execute("continue")
