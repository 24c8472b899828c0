"""The metadata of an .onnx without its network: what it is to run on stands in the contract inside.

The file is protobuf's ModelProto (onnx.proto): each field 14 is an entry of key (1) and value (2). The rest, above all
the weights, is stepped over.
"""

import mmap
from collections.abc import Iterator

_ENTRY, _KEY, _VALUE = 14, 1, 2
_VARINT, _SIZED = 0, 2
_FIXED = {1: 8, 5: 4}
"""Bytes of the kinds of a fixed size."""
_LONGEST = 10
"""Bytes of a number at most."""


def metadata_in(data: bytes | mmap.mmap) -> dict[str, str]:
    """`metadata_props` of a file's bytes; empty if there are none to read: a session says what is wrong with a file."""
    entries = [data[part] for field, part in parts(data) if field == _ENTRY]
    return dict(_text(entry) for entry in entries)


def _text(entry: bytes) -> tuple[str, str]:
    """One entry's key and value."""
    texts = {field: entry[part].decode(errors="replace") for field, part in parts(entry)}
    return texts.get(_KEY, ""), texts.get(_VALUE, "")


def parts(data: bytes | mmap.mmap) -> Iterator[tuple[int, slice]]:
    """(number, where) of each field with a size, up to where the data end or are no protobuf.

    Args:
        data: one message.
    """
    at = 0
    try:
        while at < len(data):
            key, at = _varint(data, at)
            field, kind = key >> 3, key & 7
            if field == 0:
                return
            if kind == _VARINT:
                _, at = _varint(data, at)
            elif kind == _SIZED:
                size, at = _varint(data, at)
                yield field, slice(at, at + size)
                at += size
            elif kind in _FIXED:
                at += _FIXED[kind]
            else:
                return
    except IndexError:
        return


def _varint(data: bytes | mmap.mmap, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends."""
    value = 0
    for place in range(_LONGEST):
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise IndexError
