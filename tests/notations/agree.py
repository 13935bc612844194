"""JSON and text of one trace say the same: names, numbers, words and bytes of every call, in order.
Both are taken to pieces by a reader of their own. And each line of JSON is as the schema says.
agree.py BUILD SOURCE PROGRAM..."""
import json
import os
import re
import subprocess
import sys
from collections import defaultdict

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from traced import House, skip

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?0x[0-9a-fA-F]+|-?\d+|[A-Za-z_?][\w?]*')
ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|[0-7]{1,3}|.)", re.S)
LETTERS = {b"n": b"\n", b"t": b"\t", b"v": b"\v", b"f": b"\f", b"r": b"\r"}


def number(text):
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text)
    if digits.startswith("0x"):
        return sign * int(digits, 16)
    octal = len(digits) > 1 and digits[0] == "0" and not re.search("[89]", digits)
    return sign * int(digits, 8 if octal else 10)


def unescaped(quoted):
    def one(match):
        what = match[1]
        if what[:1] == b"x":
            return bytes([int(what[1:], 16)])
        return bytes([int(what, 8)]) if what[:1].isdigit() else LETTERS.get(what, what)
    return ESCAPE.sub(one, quoted[1:-1].encode("latin-1"))


def pieces(text):
    """bytes for what is quoted, int for numbers, str for words."""
    found = []
    for one in TOKEN.findall(text):
        if one[0] == '"':
            found.append(unescaped(one))
        elif one[0].isdigit() or one[0] == "-":
            found.append(number(one))
        else:
            found.append("NULL" if one == "NULL" else one)
    return [0 if one == "NULL" else one for one in found]


class Mismatch(Exception):
    pass


class Reader:
    """Takes the pieces of a text as a value of JSON says that they come."""

    def __init__(self, found):
        self.found, self.at = found, 0

    def take(self, *wanted):
        for one in wanted:
            if self.at >= len(self.found) or self.found[self.at] != one:
                raise Mismatch(f"{one!r} at {self.at} of {self.found}")
            self.at += 1

    def next_is(self, one):
        return self.at < len(self.found) and self.found[self.at] == one

    def value(self, v):
        if v["kind"] == "absent":
            return
        getattr(self, "take_" + v["kind"])(v)
        if "remark" in v:
            self.take(*pieces(v["remark"]))

    def all(self, values):
        for one in values:
            self.value(one)

    def take_number(self, v):
        self.take(v["value"])

    def take_address(self, v):
        self.take(int(v["value"], 16))

    def take_text(self, v):
        if "unread_at" in v:
            return self.take(int(v["unread_at"], 16))
        self.take(*pieces(v.get("prefix", "")))
        if "offset" in v:
            self.take("bytes", v["offset"], v["offset"] + v["length"] - 1)
        self.take(v["text"].encode(v.get("encoding", "utf-8")))

    def take_word(self, v):
        known = pieces(v.get("word", "")) or pieces(v.get("unknown", ""))
        if "bytes" in v and not v.get("word"):
            self.value(v["bytes"])
        elif "value" in v and (not v.get("word") or self.next_is(v["value"])):
            if known[:1] != [v["value"]]:
                self.take(v["value"])
        self.take(*known)

    def take_words(self, v):
        words = [one for word in v["words"] for one in pieces(word)]
        unknown = pieces(v.get("unknown", ""))
        if self.next_is(v["value"]) and words[:1] != [v["value"]]:  # "0x40 /* MS_??? */", or 0
            self.at += 1
            if unknown and self.next_is(unknown[0]):
                return self.take(*unknown)
            if v["value"] == 0:
                return None
        return self.take(*(words or [v["value"]]))

    def take_fd(self, v):
        self.take(*(pieces(v["word"]) if "word" in v else [v["value"]]))

    def take_struct(self, v):
        for field in v["fields"]:
            if "name" in field:
                self.take(*pieces(field["name"]))
            self.value(field)

    def take_list(self, v):
        self.all(v["items"])
        if "unread_at" in v:
            self.take(int(v["unread_at"], 16))

    def take_set(self, v):
        self.all(v["items"])

    def take_macro(self, v):
        self.take(*pieces(v["macro"]))
        self.all(v["items"])
        self.take(*pieces(v.get("suffix", "")))

    def take_change(self, v):
        begin = self.at
        self.value(v["before"])
        middle = self.at
        try:
            self.take(*pieces(v["after"].get("name", "")))
            self.value(v["after"])
        except Mismatch:  # shown once where nothing changed
            self.at = middle
            check = Reader(self.found[begin:middle])
            check.value(v["after"])

    def take_wait_status(self, v):
        self.take(*pieces(v["text"]))

    def take_either(self, v):
        self.all(v["items"])
        self.take(*pieces(v.get("suffix", "")))

    def take_indexed(self, v):
        self.value(v["index"])
        self.value(v["item"])

    def take_shifted(self, v):
        self.value(v["items"][0])
        self.take(v["by"])
        self.all(v["items"][1:])


CALL = re.compile(r"^(\w+)\((.*)\)\s+= (\?|-?\w+)(?: (E\w+))?.*$", re.S)


def text_calls(lines):
    """By thread: (name, text of the arguments, result or None, error)."""
    calls, open_calls = defaultdict(list), {}
    for line in lines:
        tid, rest = line.split(None, 1)
        if rest.startswith(("---", "+++")):
            continue
        if rest.endswith(" <unfinished ...>"):
            open_calls[tid] = rest[:-len(" <unfinished ...>")]
            continue
        resumed = re.match(r"<\.\.\. \w+ resumed>", rest)
        if resumed:
            rest = open_calls.pop(tid) + rest[resumed.end():]
        found = CALL.match(rest)
        if not found:
            raise Mismatch("not a call: " + rest)
        calls[int(tid)].append(found.groups())
    return calls


def same(call, text):
    name, arguments, result, error = text
    if call["name"] != name:
        raise Mismatch(f"{call['name']} is shown as {name}")
    reader = Reader(pieces(arguments.replace("<unfinished ...>", "")))
    for value in call["args"]:
        named = value.get("name")
        if named and name == "clone" and reader.next_is(named):
            reader.at += 1  # its arguments bear names in text, too
        reader.value(value)
    if reader.at != len(reader.found) and call["state"] != "unfinished":
        raise Mismatch(f"only text has {reader.found[reader.at:]}")
    if call["state"] != "returned":
        if result != "?":
            raise Mismatch(f"{call['state']} is shown as {result}")
        return
    wrong = False
    if "error" not in call and result[0] in "-0123456789":
        wrong = (call["result"] - number(result)) % (1 << 64) != 0
    if wrong or call.get("error") != error:
        raise Mismatch(f"{call['result']} {call.get('error')} is shown as {result} {error}")


def compare(house, trace, validator):
    json_lines = house.sctrace("print", "--as", "json", trace).stdout.decode("utf-8")
    text = house.sctrace("print", "-f", "-v", "-s", "10000000", "-a", "1", trace)
    texts = text_calls(text.stdout.decode("latin-1").split("\n")[:-1])
    faults, n = [], 0
    for line in json_lines.split("\n")[:-1]:
        event = json.loads(line)
        if validator:
            faults += [f"{'/'.join(map(str, one.path))}: {one.message[:200]} in {line[:300]}"
                       for one in validator.iter_errors(event)]
        if event["type"] != "call":
            continue
        n += 1
        try:
            if not texts[event["tid"]]:
                raise Mismatch("text has no more calls of this thread")
            shown = texts[event["tid"]].pop(0)
            same(event, shown)
        except Mismatch as wrong:
            faults.append(f"{wrong}\n    {line[:1200]}\n    {str(shown)[:1200]}")
    left = sum(len(calls) for calls in texts.values())
    if left:
        faults.append(f"only text has {left} calls")
    return n, faults


def main():
    build, source, programs = sys.argv[1], sys.argv[2], sys.argv[3:]
    try:
        from jsonschema import Draft202012Validator as Validator
    except ImportError:
        try:
            from jsonschema import Draft7Validator as Validator
        except ImportError:
            skip("python3-jsonschema is not installed")
    with open(os.path.join(source, "formats", "print.schema.json")) as file:
        schema = json.load(file)
    Validator.check_schema(schema)
    bad = {"type": "call", "pid": 1, "tid": 1, "time_ns": 1, "monotonic_ns": 1, "number": 0,
           "name": "read", "registers": ["3"], "args": [], "state": "returned"}
    if not list(Validator(schema).iter_errors(bad)):
        sys.exit("the schema lets a register without 0x pass")
    failed = False
    with House(build) as house:
        for program in programs:
            trace = house.path("trace")
            place = house.fresh("in")
            subprocess.run(["rm", "-rf", trace], check=True)
            env = house.environment("auto", trace, SCTRACE_STRSIZE="all")
            if house.run([program], env, place).status not in (0, 77):
                failed = True
                print(program, "did not end well")
                continue
            n, faults = compare(house, trace, Validator(schema))
            print(f"{os.path.basename(program)}: {n} calls, {len(faults)} faults")
            for one in faults[:6]:
                print("  ", one)
            failed |= bool(faults) or n < 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
