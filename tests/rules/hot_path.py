"""hot_path.py ROOT LIBRARY: reads the machine code of libsctrace.so.

1. Every syscall instruction lies in [sctrace_gate_begin, sctrace_gate_end), the one range that Syscall
   User Dispatch lets through.
2. No code of preload and arch touches a vector or x87 register, wherever it lies: any of it may run
   between two instructions of a program that keeps its own data there. Data moves by rep movsb.
   What rewriter does is apart: it runs at start, and later only with those registers saved.
3. Code in .text.sctrace_hook and .text.sctrace_gate calls nothing outside the library.
"""
import re
import subprocess
import sys

VECTOR = re.compile(r"%([xyz]mm\d+|mm[0-7]|st\b|st\(|k[0-7]\b)")
MAY_TOUCH = re.compile(r"sctrace8rewriter|^(_fini|_init|deregister_tm_clones|register_tm_clones|"
                       r"__do_global_dtors_aux|frame_dummy)$")


def read(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def symbols(library):
    found = {}
    for line in read("nm", "-P", library).splitlines():
        words = line.split()
        if len(words) >= 3:
            found[words[0]] = int(words[2], 16)
    return found


def instructions(library):
    """(section, function, address, text) of each instruction."""
    section = function = ""
    for line in read("objdump", "-dw", "--no-show-raw-insn", library).splitlines():
        if match := re.match(r"Disassembly of section (\S+):", line):
            section = match[1]
        elif match := re.match(r"[0-9a-f]+ <(.+)>:", line):
            function = match[1]
        elif match := re.match(r"\s*([0-9a-f]+):\s+(.*)", line):
            yield section, function, int(match[1], 16), match[2]


def sections(library):
    return re.findall(r"^\s*\[\s*\d+\]\s+(\S+)", read("readelf", "-SW", library), re.M)


def faults(library):
    named = symbols(library)
    begin, end = named.get("sctrace_gate_begin"), named.get("sctrace_gate_end")
    if begin is None or end is None:
        yield "no symbols sctrace_gate_begin and sctrace_gate_end"
        return
    hot = {name for name in sections(library) if re.match(r"\.text\.sctrace_(hook|gate)", name)}
    for section, function, address, text in instructions(library):
        if section.startswith(".plt"):
            continue
        where = f"{section} {function}+{address - named.get(function, address):#x}: {text}"
        if re.match(r"syscall\b", text) and not begin <= address < end:
            yield f"a syscall outside the gate: {where}"
        if VECTOR.search(text) and not MAY_TOUCH.search(function):
            yield f"a vector register: {where}"
        if section in hot or begin <= address < end:
            if "@plt" in text or re.match(r"(call|jmp)\s+\*0x[0-9a-f]+\(%rip\)", text):
                yield f"a call out of the library: {where}"


found = list(faults(sys.argv[2]))
print("\n".join(found[:60]) or "the hot path keeps to itself")
sys.exit(1 if found else 0)
