"""Tracked sequences, byte by byte as PLUS and 3D Slicer write them."""

import gzip
import zlib

import numpy as np

FORMATS = ["s.igs.mha", "s.igs.nrrd", "s.seq.nrrd"]
ELEMENT = {"uint8": "MET_UCHAR", "uint16": "MET_USHORT", "int16": "MET_SHORT", "float32": "MET_FLOAT"}
RNG = np.random.default_rng(5)


def pictures(count=3, rows=4, cols=6, dtype=np.uint8, channels=()):
    return RNG.integers(1, 250, (count, rows, cols, *channels)).astype(dtype)


def mha_bytes(frames, fields=None, *, letters="MFA", compressed=False, spacing="1 1 1", sizes=None, kinds=None, **more):
    """A file as PLUS writes it; `frames` is (n, rows, cols[, channels])."""
    count, rows, cols, *channels = frames.shape
    sizes = sizes or f"{cols} {rows} {count}"
    data = frames.tobytes()
    keys = {"ObjectType": "Image", "NDims": len(sizes.split()), "BinaryData": "True", "BinaryDataByteOrderMSB": "False"}
    keys |= {"CompressedData": compressed}
    if compressed:
        data = zlib.compress(data)
        keys["CompressedDataSize"] = f"{len(data)}             "
    keys |= {"DimSize": sizes, "ElementNumberOfChannels": channels[0] if channels else 1}
    keys |= {"ElementSpacing": spacing, "ElementType": ELEMENT[str(frames.dtype)]}
    keys |= {"Kinds": kinds or "domain domain list"[: 99 if len(sizes.split()) > 2 else 13]}
    keys |= {"UltrasoundImageOrientation": letters, **more, **(fields or {}), "ElementDataFile": "LOCAL"}
    return "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None).encode() + data


def nrrd_bytes(frames, fields=None, *, letters="MFA", spacing="(1,0) (0,1) none", kinds=None, compressed=True, **more):
    """A file as PLUS writes it; `frames` is (n, rows, cols[, channels])."""
    colour = frames.ndim == 4
    kinds = kinds or ("vector " * colour + "domain domain list")
    keys = {"dimension": frames.ndim, "encoding": "gz" if compressed else "raw", "endian": "little", "kinds": kinds}
    keys |= {"sizes": " ".join(map(str, frames.shape[::-1]))}
    keys |= {"space dimension": 2, "space directions": "none " * colour + spacing, "space origin": "(0,0)"}
    keys |= {"type": "float" if frames.dtype == np.float32 else str(frames.dtype)}
    texts = {"ultrasound image orientation": letters, **more, **(fields or {})}
    header = "".join(f"{key}: {value}\n" for key, value in keys.items())
    header += "".join(f"{key}:={value}\n" for key, value in texts.items() if value is not None)
    data = frames.tobytes()
    return f"NRRD0004\n{header}\n".encode() + (gzip.compress(data) if compressed else data)


def slicer_bytes(frames, *, first=True, geometry="(0.2,0,0) (0,0.3,0) (0,0,1)", origin="(0,0,0)", units="s", values=""):
    """A file as 3D Slicer writes it: the list axis first, or last where it writes image by image."""
    count, rows, cols = frames.shape
    volume = frames[:, None]  # (n, k, j, i), the slowest axis first
    order = (lambda one, three: f"{one} {three}") if first else (lambda one, three: f"{three} {one}")
    lines = ["NRRD0005", f"type: {frames.dtype}", "dimension: 4", "space: left-posterior-superior"]
    lines += [f"sizes: {order(count, f'{cols} {rows} 1')}", f"space directions: {order('none', geometry)}"]
    unit = order(f'"{units}"', '"" "" ""')
    lines += [f"kinds: {order('list', 'domain domain domain')}", f"units: {unit}", "endian: little", "encoding: gzip"]
    axis = 0 if first else 3
    lines += [f"space origin: {origin}", f"axis {axis} index type:=numeric", f"axis {axis} index values:={values}"]
    data = np.moveaxis(volume, 0, -1) if first else volume
    return "\n".join([*lines, "", ""]).encode() + gzip.compress(np.ascontiguousarray(data).tobytes())


def file_of(name, frames, fields=None, **options):
    if name.endswith(".mha"):
        return mha_bytes(frames, fields, **options)
    if name.endswith(".igs.nrrd"):
        return nrrd_bytes(frames, fields, **options)
    return slicer_bytes(frames, **options)
