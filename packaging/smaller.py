"""Smaller files in place of some that wheels bring: of the same name, with all that anything in the bundle calls.

On Linux, with gcc, binutils and Debian's `liblapack-dev`. A file for which there is no smaller one stays as it is.
"""

import json
import re
import struct
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

LAPACK = "liblapack_pic.a", "blas/libblas.a"
UNREACHED = re.compile(r"[^/]+/((brkitr|curr|lang|rbnf|region|translit|unit)/|.*\.spp|confusables\.cfu|unames\.icu)")
"""What ICU has for breaking text, money, other scripts, and names of languages, characters and units: none of
the functions that Qt takes from it (case, collation, converters, time zones) reads these."""


def lapack(source: Path, target: Path, caller: Path) -> Path:
    """The functions that OpenCV takes from 39 MB of OpenBLAS, from the reference BLAS and LAPACK.

    These are slower on large matrices, and the product gives OpenCV none.

    Args:
        source: OpenBLAS.
        target: is written.
        caller: the library that needs it.
    """
    archives = [next(Path("/usr/lib").glob(f"*-linux-gnu/{name}"), None) for name in LAPACK]
    if None in archives:
        print(f"{source.name} is left as it is, 40 MB: liblapack-dev is not installed.", file=sys.stderr)
        return source
    called = sorted(_symbols(caller, "undefined") & _symbols(source, "defined"))
    exported = target.with_suffix(".map")
    exported.write_text("{global:" + "".join(f"{name};" for name in called) + "local:*;};", encoding="utf-8")
    _linked(
        [Path(__file__).with_name("lapack.c"), *archives, *source.parent.glob("libgfortran*")],
        target,
        source.name,
        [f"--version-script={exported}", "--gc-sections", "-z,defs", *(f"-u,{name}" for name in called)],
        "-lm",
    )
    return target


def icu(source: Path, target: Path) -> Path:
    """ICU's data without what Qt does not reach.

    Source: ICU's `ucmndata.h` and `icupkg`: a header, a table of names and places, the items.
    """
    data = _object(source)
    (length,) = struct.unpack_from("<H", data)
    (count,) = struct.unpack_from("<I", data, length)
    table = [struct.unpack_from("<II", data, length + 4 + 8 * at) for at in range(count)]
    body = data[length:]
    ends = [start for _, start in table] + [len(body)]
    items = [
        (body[name : body.index(b"\0", name)], body[start:end])
        for (name, _), (start, end) in zip(table, pairwise(ends), strict=True)
    ]
    kept = [(name, item) for name, item in items if not UNREACHED.match(name.decode())]
    if len(kept) == len(items):
        sys.exit(f"{source.name} holds nothing of what is left out: is it laid out otherwise?")
    packed = target.with_suffix(".dat")
    packed.write_bytes(data[:length] + _packed(kept))
    symbol = next(name for name in _symbols(source, "defined") if name.endswith("_dat"))
    listing = target.with_suffix(".s")
    listing.write_text(
        f'.section .rodata\n.balign 16\n.globl {symbol}\n.type {symbol}, @object\n{symbol}: .incbin "{packed}"\n'
        f'.size {symbol}, .-{symbol}\n.section .note.GNU-stack,"",@progbits\n',
        encoding="utf-8",
    )
    _linked([listing], target, source.name, [], "-nostdlib")
    return target


def compact(source: Path, target: Path) -> Path:
    """The same JSON without white space."""
    target.write_text(json.dumps(json.loads(source.read_text("utf-8")), separators=(",", ":")), "utf-8")
    return target


def _packed(items: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Table, names and items, each of these at a multiple of 16."""
    names = b"".join(name + b"\0" for name, _ in items)
    name_at = 4 + 8 * len(items)
    item_at = start = -(-(name_at + len(names)) // 16) * 16
    table, body = [struct.pack("<I", len(items))], []
    for name, item in items:
        table.append(struct.pack("<II", name_at, item_at))
        padded = item + b"\0" * (-len(item) % 16)
        body.append(padded)
        name_at, item_at = name_at + len(name) + 1, item_at + len(padded)
    return (b"".join(table) + names).ljust(start, b"\0") + b"".join(body)


def _object(source: Path) -> bytes:
    """The bytes of the section that a library of nothing but data holds them in."""
    found = subprocess.run(["readelf", "-SW", source], check=True, capture_output=True, text=True).stdout
    row = re.search(r"\.rodata\s+PROGBITS\s+\w+\s+(\w+)\s+(\w+)", found)
    if row is None:
        sys.exit(f"{source.name} holds no data.")
    start, length = (int(value, 16) for value in row.groups())
    return source.read_bytes()[start : start + length]


def _symbols(library: Path, kind: str) -> set[str]:
    """Names of the functions and objects that a library has (`defined`) or takes from others (`undefined`)."""
    found = subprocess.run(["nm", "-D", f"--{kind}-only", library], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].partition("@")[0] for line in found.splitlines()}


def _linked(parts: Sequence[Path], target: Path, name: str, options: Sequence[str], *more: str) -> None:
    """A shared library that others know by `name`."""
    flags = [f"-Wl,{option}" for option in ("-s", f"-soname,{name}", "-rpath,$ORIGIN", *options)]
    subprocess.run(["gcc", "-O2", "-fPIC", "-shared", "-o", target, *parts, *more, *flags], check=True)
