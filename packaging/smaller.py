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

HERE = Path(__file__).parent
LAPACK = "liblapack_pic.a", "blas/libblas.a"
FORTRAN = {f"_gfortran_{name}" for name in ("concat_string", "pow_r4_i8", "pow_r8_i8", "etime")}
"""What is in fortran.c."""
UNREACHED = re.compile(
    r"[^/]+/((brkitr|curr|lang|rbnf|region|translit|unit|zone)/|[a-z]{2,3}(_\w+)?\.res|.*\.(spp|cnv)|"
    r"confusables\.cfu|unames\.icu)"
)
"""What ICU has for breaking text, money, other scripts, and names of languages, characters, units and time zones, which
the functions that Qt takes from it for case and collation do not read; what a language says of numbers and dates, which
Qt has of its own; and tables of converters, in a program whose texts are UTF-8."""
WRITTEN = {
    "ultrasound-image",
    "ultrasound-multi-frame-image",
    "secondary-capture-image",
    "segmentation",
    "comprehensive-sr",
    "comprehensive-3d-sr",
    "enhanced-sr",
}
"""The objects of DICOM that exports write, by highdicom's names."""


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
        [HERE / "lapack.c", HERE / "fortran.c", *archives],
        target,
        source.name,
        [f"--version-script={exported}", "--gc-sections", "-z,defs", *(f"-u,{name}" for name in called)],
        "-lm",
    )
    return target


def fortran(source: Path, target: Path, caller: Path) -> Path:
    """Fortran's own library with what numpy's OpenBLAS takes of it: four functions of 3 MB."""
    called = sorted(_symbols(caller, "undefined") & _symbols(source, "defined"))
    if not FORTRAN.issuperset(called):
        print(f"{source.name} is left as it is, 3 MB: {caller.name} takes more of it than before.", file=sys.stderr)
        return source
    exported = target.with_suffix(".map")
    exported.write_text("GFORTRAN_8{global:" + "".join(f"{name};" for name in called) + "local:*;};", encoding="utf-8")
    _linked([HERE / "fortran.c"], target, source.name, [f"--version-script={exported}"])
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


def modules(source: Path, target: Path) -> Path:
    """highdicom's table of the attributes of each module, for the modules of the objects that exports write.

    Another object ends in a KeyError that names a module of it.
    """
    objects = json.loads(source.with_name("iod_module_map.json").read_text("utf-8"))
    kept = {module["key"] for name in WRITTEN for module in objects[name]}
    table = json.loads(source.read_text("utf-8"))
    few = {name: attributes for name, attributes in table.items() if name in kept}
    target.write_text(json.dumps(few, separators=(",", ":")), "utf-8")
    return target


def refusing(source: Path, target: Path, caller: Path) -> Path:
    """libaom or libvpx without a codec: begun, any says that it is incapable.

    FFmpeg decodes VP8 and VP9 by itself, and AV1 is refused; what is left are pictures in AVIF, which are none of ours.

    Args:
        source: the library.
        target: is written.
        caller: the library that needs it.
    """
    called = sorted(_symbols(caller, "undefined") & _symbols(source, "defined"))
    code = target.with_suffix(".c")
    code.write_text("\n".join(_refusal(name) for name in called) + "\n", encoding="utf-8")
    _linked([code], target, source.name, [])
    return target


def _refusal(name: str) -> str:
    """A function of a codec's interface in C: of those that answer in words, with a pointer, and with an error."""
    if name.endswith(("_error", "_error_detail", "_to_string", "_version_str", "_build_config")):
        return f'const char *{name}(void) {{ return "left out of this program"; }}'
    if name.endswith(("_cx", "_dx", "_caps", "_data", "_frame", "_alloc", "_wrap")):
        return f"void *{name}(void) {{ return 0; }}"
    return f"int {name}(void) {{ return 4; }}  // INCAPABLE"


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


def needs(library: Path) -> set[str]:
    """The names of the libraries that one needs."""
    found = subprocess.run(["readelf", "-dW", library], check=True, capture_output=True, text=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", found))


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
