"""objects.py BUILD: libraries that are absurd, lie about themselves, or whose file ends too soon, and address space
that ends too soon: sites are left to the trap at worst, and the program runs."""
import os
import struct
import sys

from asked import Asker, House

PROGRAM = ["/bin/sh", "-c", "echo out; /bin/true; exit 7"]
LOAD, NOTE, EH_FRAME = 1, 4, 0x6474E550


class Library:
    """An ELF file whose program headers can be set to anything."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = bytearray(file.read())
        self.table, = struct.unpack_from("<Q", self.data, 32)
        self.count, = struct.unpack_from("<H", self.data, 56)

    def headers(self, kind):
        """Offsets of the headers of a kind: type, flags, offset, vaddr, paddr, filesz, memsz, align."""
        at = range(self.table, self.table + 56 * self.count, 56)
        return [offset for offset in at if struct.unpack_from("<I", self.data, offset)[0] == kind]

    def get(self, at):
        return list(struct.unpack_from("<IIQQQQQQ", self.data, at))

    def put(self, at, header):
        struct.pack_into("<IIQQQQQQ", self.data, at, *header)

    def write(self, path):
        with open(path, "wb") as file:
            file.write(self.data)
        os.chmod(path, 0o755)
        return path


def lies(path):
    """name → a library, the same but for one header."""
    def changed(kind, change):
        library = Library(path)
        at = library.headers(kind)[0]
        library.put(at, change(library.get(at)))
        return library

    def moved(to):
        return lambda h: [*h[:3], to, to, *h[5:]]

    def sized(to):
        return lambda h: [*h[:5], to, to, h[7]]

    plain = Library(path)
    end = max(sum(plain.get(at)[i] for i in (3, 6)) for at in plain.headers(LOAD))
    behind = (end + 0x1FFFF) & ~0xFFFF
    offset = (len(plain.data) + 0x1FFFF) & ~0xFFFF
    yield "unwind table nowhere", changed(EH_FRAME, moved(0x7000_0000_0000)), None
    yield "unwind table behind all", changed(EH_FRAME, moved(behind)), None
    yield "unwind table in the text", changed(EH_FRAME, moved(0x1000)), None
    yield "unwind table without end", changed(EH_FRAME, sized(1 << 60)), None
    yield "unwind table of nothing", changed(EH_FRAME, sized(0)), None
    yield "notes nowhere", changed(NOTE, moved(0x7000_0000_0000)), None
    yield "notes without end", changed(NOTE, sized(1 << 62)), None
    # What a file looks like that was cut while it is mapped: text that is a SIGBUS to look at.
    yield "cut", changed(NOTE, lambda h: [LOAD, 5, offset, behind, behind, 0x8000, 0x8000, 0x1000]), "cut.so"


def check_address_space(house, asker, work):
    """Less than we would have, from the start on: no stubs, and all calls by the trap; then all as ever."""
    for kib, says, door in ((10_000, "no memory for stubs", "trap"), (400_000, None, "stub")):
        case = f"{kib} KiB of address space"
        limited = ["/bin/sh", "-c", f'ulimit -v {kib}; LD_PRELOAD=$library exec "$@"', "sh", *PROGRAM]
        native = house.run(limited, {**house.environment(), "library": ""}, work)
        env = house.environment("auto", house.path(str(kib)))
        env["library"] = env.pop("LD_PRELOAD")
        asker.unchanged(case, native, house.run(limited, env, work, timeout=30), says)
        for fault in house.trace_faults(house.path(str(kib))):
            asker.fault(case, fault)
        calls = house.info(house.path(str(kib)))["calls"]
        if not calls[door] or calls[door] < 10 * calls["trap" if door == "stub" else "stub"]:
            asker.fault(case, f"calls {calls}")


def main(build):
    build = os.path.abspath(build)
    asker = Asker()
    many = os.path.join(build, "tests/bad_input/candidates.so")
    with House(build) as house:
        work = house.fresh("work")

        def run(case, library, says=None):
            native = house.run(PROGRAM, {**house.environment(), "LD_PRELOAD": library}, work)
            trace = house.path(case.replace(" ", "_"))
            env = house.environment("auto", trace)
            env["LD_PRELOAD"] += ":" + library
            asker.unchanged(case, native, house.run(PROGRAM, env, work, timeout=30), says)
            for fault in house.trace_faults(trace):
                asker.fault(case, fault)
            return house.info(trace)

        info = run("a million candidates", many)
        if not info["sites"]["mov"] or not info["refusals"]:
            asker.fault("a million candidates", f"sites {info['sites']}, refusals {info['refusals']}")
        for case, library, says in lies(many):
            path = library.write(house.path(says or "liar.so"))
            info = run(case, path, says)
            if not info["sites"]["mov"]:
                asker.fault(case, "the C library was not patched")
        check_address_space(house, asker, work)
    asker.done()


main(*sys.argv[1:])
