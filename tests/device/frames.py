"""frames.py: a client of the packed twin (`packed`) of the device protocol, frames in place of lines; no dependencies.
The frames are those of formats/device/packed.h. By itself it is a small strace of numbers: frames.py SOCKET [CALLS]"""
import socket
import struct
import sys

CALL, RESULT, SIGNAL, FORK, EXEC, EXIT, LOST, WITHDRAWN, LATE, GONE, DATA, ERROR = range(1, 13)
(TRACE, SIGNALS, LIMIT, PATIENCE, CONT, STEP, SKIP, ANSWER, SET, GET, DELIVER, DROP, REPLACE, MAKE,
 TEXT) = range(65, 80)
HEAD = struct.Struct("<IHHII")


def padded(data):
    return data + bytes(-len(data) % 8)


def frame(kind, payload=b"", argument=0, pid=0, tid=0):
    payload = padded(payload)
    return HEAD.pack(HEAD.size + len(payload), kind, argument, pid, tid) + payload


def call_frame(number, args, blocks=(), pid=0, tid=0):
    """blocks: (argument from 1 or 0, bytes, [(where, at which block)])"""
    out = struct.pack("<II6Q", number, len(blocks), *(n % 2**64 for n in args))
    for argument, data, pointers in blocks:
        out += struct.pack("<IIII", len(data), len(pointers), argument, 0) + padded(data)
        out += b"".join(struct.pack("<II", *pair) for pair in pointers)
    return frame(MAKE, out, pid=pid, tid=tid)


class Frame:
    def __init__(self, raw):
        _, self.kind, self.argument, self.pid, self.tid = HEAD.unpack_from(raw)
        self.payload = raw[HEAD.size:]

    @property
    def number(self):
        """Of a result, a fork, an exit …"""
        return struct.unpack_from("<q", self.payload)[0]

    @property
    def data(self):
        length, = struct.unpack_from("<Q", self.payload)
        return self.payload[8:8 + length]

    @property
    def text(self):
        return self.payload.rstrip(b"\0").decode()

    @property
    def call(self):
        """number, six arguments, {address: (bytes, how many were wanted)}"""
        number, pieces, *args = struct.unpack_from("<II6Q", self.payload)
        memory, at = {}, 56
        for _ in range(pieces):
            address, wanted, length, _ = struct.unpack_from("<QQII", self.payload, at)
            memory[address] = (self.payload[at + 24:at + 24 + length], wanted)
            at += 24 + length + -length % 8
        return number, args, memory


class Packed:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(b"packed\n")
        if self.file.readline() != b"packed 1\n":
            raise OSError("that hub speaks no frames that we know")

    def say(self, kind, payload=b"", argument=0, of=None):
        self.send(frame(kind, payload, argument, of.pid if of else 0, of.tid if of else 0))

    def send(self, raw):
        try:
            self.socket.sendall(raw)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the program has ended

    def say_number(self, kind, number, of=None):
        self.say(kind, struct.pack("<q", number), of=of)

    def hear(self):
        """The next frame, or None: it is over."""
        try:
            head = self.file.read(4)
            return Frame(head + self.file.read(struct.unpack("<I", head)[0] - 4)) if len(head) == 4 else None
        except ConnectionResetError:
            return None


def main(path, calls="all"):
    hub, open_calls = Packed(path), {}
    hub.say(TRACE, calls.encode())
    while (heard := hub.hear()) is not None:
        if heard.kind == CALL:
            open_calls[heard.tid] = heard.call
            hub.say(STEP, of=heard)
        elif heard.kind == RESULT:
            number, args, _ = open_calls.pop(heard.tid)
            print(f"[{heard.tid}] {number}({', '.join(map(hex, args))}) = {heard.number}", file=sys.stderr)
            hub.say(CONT, of=heard)
        elif heard.kind == EXIT:
            print(f"[{heard.tid}] exits with {heard.number}", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(*sys.argv[1:])
