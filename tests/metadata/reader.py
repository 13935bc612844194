"""reader.py TRACE: reads a trace by what sctrace-trace(5) says and nothing else. One line a call, in the
order in which each thread made them: nr name(argument=hex, …) = result, then what was taken of memory."""
import mmap
import os
import struct
import subprocess
import sys


def table_of(trace):
    """Number → (name, names of its arguments), from the metadata."""
    with open(os.path.join(trace, "metadata"), "rb") as file:
        text = file.read()
    if text.startswith(b"\x28\xb5\x2f\xfd"):
        text = subprocess.run(["zstd", "-dc"], input=text, stdout=subprocess.PIPE, check=True).stdout
    calls, arguments = {}, None
    lines = text.decode().splitlines()
    if lines[0] != "sctrace-metadata 1" or lines[-1] != "end":
        sys.exit("not the metadata of a trace")
    for line in lines:
        words = line.split(" ")
        if words[0] == "call":
            arguments = []
            calls[int(words[1])] = (words[2], arguments)
        elif words[0] == "command":
            arguments = None  # what follows belongs to it
        elif words[0] == "arg" and arguments is not None:
            arguments.append(words[1])
    return calls


class Image:
    def __init__(self, path):
        with open(path, "rb") as file:  # sparse, and longer than what is in it
            self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        magic, self.version, order, header, _, slot_bytes, self.ring_bytes, self.block_bytes, self.mode = \
            struct.unpack_from("<8sIIIIQQQI", self.bytes)
        if magic != b"TRACIME1" or order != 0x01020304:
            sys.exit(path + ": no image")
        used = min(struct.unpack_from("<I", self.bytes, 144)[0], struct.unpack_from("<I", self.bytes, 20)[0])
        self.rings = [header + n * slot_bytes for n in range(used)]
        self.drained = {}  # (ring, number) → block
        data = path[:-5] + ".data"
        if os.path.exists(data):
            with open(data, "rb") as file:
                while block := file.read(self.block_bytes):
                    if block[:4] == b"sBLK":
                        ring, number, used_bytes = *struct.unpack_from("<IQ", block, 4), \
                            struct.unpack_from("<I", block, 40)[0]
                        self.drained[ring, number] = block[:used_bytes]

    def blocks(self, ring):
        """The blocks of a ring in their order, each as far as it counts."""
        at, places = self.rings[ring], self.ring_bytes // self.block_bytes
        head, drained = struct.unpack_from("<QQ", self.bytes, at + 16)
        end = -(-head // self.block_bytes)
        first = max(0, end - places) if self.mode == 1 else drained // self.block_bytes
        for number in range(0 if self.mode != 1 else first, end):
            if number < first:
                if (ring, number) in self.drained:
                    yield self.drained[ring, number]
                continue
            place = at + 4096 + number % places * self.block_bytes
            block = self.bytes[place:place + self.block_bytes]
            filled = head - number * self.block_bytes
            yield block[:filled if filled < self.block_bytes else struct.unpack_from("<I", block, 40)[0]]


def records(block):
    at = 48
    while at < len(block):
        units, kind, flags = struct.unpack_from("<HBB", block, at)
        yield kind, flags, block[at:at + units * 8]
        at += units * 8


def entry(flags, record):
    number, site = struct.unpack_from("<HH", record, 8)
    at = 12 + (8 if flags & 0x80 else 0)
    values = []
    for place in range(site >> 13):
        wide = flags >> place & 1
        values.append(struct.unpack_from("<Q" if wide else "<I", record, at)[0])
        at += 8 if wide else 4
    if number == 0xffff:
        number = struct.unpack_from("<I", record, at)[0]
    return {"nr": number, "args": values, "result": None, "memory": [],
            "left out": flags & 0x20 and len(values) < 6}


def calls_of(image, ring):
    """Entries with what belongs to them; a handler's calls lie within the one it interrupted."""
    all_calls, open_calls = [], []
    for block in image.blocks(ring):
        for kind, flags, record in records(block):
            if kind == 1:
                call = entry(flags, record)
                all_calls.append(call)
                open_calls.append(call)
            elif kind == 2 and open_calls:
                call = open_calls.pop()
                if flags & 1:
                    all_calls.remove(call)
                call["result"] = struct.unpack_from("<q", record, 8)[0]
            elif kind == 3 and all_calls:
                where = struct.unpack_from("<Q", record, 8)[0]
                piece = record[16:16 + (where >> 48)]
                memory = all_calls[-1]["memory"]
                if memory and memory[-1][3]:
                    memory[-1] = (*memory[-1][:2], memory[-1][2] + piece, flags & 8)
                else:
                    memory.append((flags & 1, where & (1 << 48) - 1, piece, flags & 8))
    return [call for call in all_calls if not call["left out"]]


def main(trace):
    calls = table_of(trace)
    with open(os.path.join(trace, "session"), "rb") as file:
        if file.read(8) != b"TRACESS1":
            sys.exit(trace + ": not a trace")
    for name in sorted(name for name in os.listdir(trace) if name.endswith(".ring")):
        image = Image(os.path.join(trace, name))
        for ring in range(len(image.rings)):
            for call in calls_of(image, ring):
                word, names = calls.get(call["nr"], (f"syscall_{call['nr']:#x}", []))
                names = names if len(names) >= len(call["args"]) else "abcdef"
                shown = ", ".join(f"{n}={v:#x}" for n, v in zip(names, call["args"]))
                result = "?" if call["result"] is None else call["result"]
                print(f"{call['nr']} {word}({shown}) = {result}")
                for out, address, data, _ in call["memory"]:
                    print(f"  {'out' if out else 'in'} {address:#x} {data.hex()}")


main(sys.argv[1])
