"""Reads the metadata of an .onnx without loading its network, since the contract in it says what to run it on.

The file is a protobuf ModelProto (onnx.proto): each field 14 is an entry with a key (1) and a value (2). Everything
else, above all the weights, is skipped.
"""

import mmap
from collections.abc import Iterator

_ENTRY, _KEY, _VALUE = 14, 1, 2
_VARINT, _SIZED = 0, 2
_FIXED = {1: 8, 5: 4}
"""Bytes of the wire types of fixed size."""
_LONGEST = 10
"""Most bytes that a varint can have."""


def metadata_in(data: bytes | mmap.mmap) -> dict[str, str]:
    """`metadata_props` of a file's bytes; empty if none can be read: opening a session then says what is wrong."""
    entries = [data[part] for field, part in parts(data) if field == _ENTRY]
    return dict(_text(entry) for entry in entries)


def _text(entry: bytes) -> tuple[str, str]:
    """Key and value of an entry."""
    texts = {field: entry[part].decode(errors="replace") for field, part in parts(entry)}
    return texts.get(_KEY, ""), texts.get(_VALUE, "")


def parts(data: bytes | mmap.mmap) -> Iterator[tuple[int, slice]]:
    """(number, position) of each length-delimited field, until the data end or stop being protobuf.

    Args:
        data: bytes of one message.
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
    """A varint (seven bits per byte, lowest first) and the position after it."""
    value = 0
    for place in range(_LONGEST):
        byte = data[at + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, at + place + 1
    raise IndexError
