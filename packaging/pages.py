"""Pages of the manual that are made from the code: `python packaging/pages.py` writes them into docs/.

tests/packaging/test_pages.py compares what stands in docs/ with what this makes, so that none goes stale.
"""

import argparse
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels import get_decoder
from pydicom.uid import UID, AllTransferSyntaxes

import training.cli
import viewer.app
from inference import cli as segment
from inference.assets import demo_clip_path, demo_model_path
from inference.contract import ModelContract
from inference.export.capture import Capture
from inference.export.dicom import write_dicom_pair
from inference.model.engine import Engine
from inference.model.segmenter import Segmenter
from inference.sources import open_source
from inference.sources.dicom import READ

ROOT = Path(__file__).resolve().parent.parent
MADE = "Made from the code by `packaging/pages.py`.\n"


def commands() -> str:
    """Every command with every option."""
    lines = ["# Commands\n", MADE]
    for parser in (viewer.app._parser(), segment._parser(), training.cli.parser()):
        lines += _command(parser)
    return "\n".join(lines) + "\n"


def model_file() -> str:
    """Every field of a model's contract."""
    _, groups = msgspec.json.schema_components([ModelContract])
    lines = [
        "# A model file\n",
        MADE,
        _prose(
            "One `.onnx` that carries its whole recipe and its own proof: a JSON value, the contract, under the "
            "key `ius.contract` of the file's metadata, and golden cases under `ius.golden`. A missing or unknown "
            "field, another type or another schema is refused. At load the golden cases are computed on the "
            "computer at hand; a model that does not reproduce them is refused. `ius-segment model FILE.onnx "
            "--json` shows all of it."
        ),
    ]
    for name, group in sorted(groups.items(), key=lambda item: item[0] != "ModelContract"):
        words = str(group.get("description", "")).partition("\n")[0]
        lines += [f"## {name}\n", f"{words}\n"]
        if "properties" in group:
            lines += ["| field | type |", "|---|---|"]
            lines += [f"| `{field}` | {_type(kind)} |" for field, kind in group["properties"].items()] + [""]
        else:
            lines += [f"{_type(group)}\n"]
    return "\n".join(lines).rstrip("\n") + "\n"


def soup() -> str:
    """The foreign software that viewer and engine run on, each with its pinned version."""
    table = tomllib.loads((ROOT / "packaging/soup.toml").read_text(encoding="utf-8"))
    pins = pinned()
    lines = [
        "# Foreign software (SOUP)\n",
        MADE,
        _prose(
            "After IEC 62304, 8.1.2: what viewer and engine run on, in the versions that releases are built from "
            "(`packaging/constraints.txt`), what each is for, and what is known to be wrong with it that could "
            "matter here. Python is 3.11 or newer. Every compiled library inside these packages is in the list of "
            "parts (CycloneDX) beside each release. A new version is taken in only with every test green."
        ),
        "| package | version | used for | known anomalies, and what is done |",
        "|---|---|---|---|",
    ]
    for name, row in table.items():
        lines.append(f"| {name} | {pins[name.lower()]} | {row['use']} | {row['known'] or 'none that matters here'} |")
    return "\n".join(lines) + "\n"


def pinned() -> dict[str, str]:
    """Version by normalised name, from the constraints."""
    lines = (ROOT / "packaging/constraints.txt").read_text(encoding="utf-8").split()
    return dict(line.lower().replace("_", "-").split("==") for line in lines if "==" in line)


def dicom() -> str:
    """The conformance statement: what is read, and what a real export holds."""
    with tempfile.TemporaryDirectory() as folder, closing(open_source(str(demo_clip_path()))) as source:
        outcome = Segmenter(Engine.load(demo_model_path()))(source.read(len(source) // 2))
        pair = write_dicom_pair(Capture(outcome, source.info.levels), Path(folder, "frame.dcm"))
        written = [dcmread(path) for path in pair.files]
    read = ", ".join(f"`{keyword}`" for keyword in READ)
    lines = [
        "# DICOM conformance statement\n",
        MADE,
        "After PS3.2, as far as it applies to a program that reads and writes files.\n",
        "## Media and network\n",
        _prose(
            "A file-set reader of single files and folders, and a file creator. DICOMDIR is neither read nor "
            "written. `ius-segment send` is a user (SCU) of the Storage service class, for the objects that are "
            "written here and others that the user names, in their own transfer syntax, as `IUS`, without TLS; and a "
            "user agent of STOW-RS (PS3.18 10.5), one instance a request. `ius-segment fetch` is a user of the study "
            "root query/retrieve classes FIND and GET (PS3.4 C.6.2), without TLS, for the ultrasound series of one "
            "study or accession number, in each transfer syntax by itself. No other service class is supported, and "
            "none as provider."
        ),
        "## What is read\n",
        _prose(
            "Any SOP class with a picture; meant are Ultrasound Image Storage (1.2.840.10008.5.1.4.1.1.6.1) and "
            "Ultrasound Multi-frame Image Storage (1.2.840.10008.5.1.4.1.1.3.1). These attributes are read, and "
            f"no other: {read}."
        ),
        _prose(
            "Scale: a 2D tissue region in centimetres of `SequenceOfUltrasoundRegions`, else `PixelSpacing`, else "
            "unknown. Several regions are a choice of the user."
        ),
        "| transfer syntax | UID |",
        "|---|---|",
        *(f"| {uid.name} | {uid} |" for uid in readable()),
        "\n## What is written\n",
        _prose(
            "Explicit VR Little Endian. Every object is made new: no attribute of the source is copied, the "
            "patient is a constant, UIDs are new, dates are left out. Attributes in italics have no value. Segment 1 "
            "of a segmentation is the tumour; where the model tells the resection cavity apart and sees one, it is "
            "segment 2, and no measurement refers to it."
        ),
        *(line for one in written for line in (f"### {one.SOPClassUID.name}\n", *_attributes(one), "")),
        "## Character sets\n",
        "Written: ISO_IR 192 (UTF-8). Read: those of pydicom.\n",
        "## Security\n",
        "Exports are de-identified as [Data protection](data-protection.md) says; no security profile is claimed.",
    ]
    return "\n".join(lines) + "\n"


def readable() -> list[UID]:
    """The transfer syntaxes that an installed decoder takes."""
    uids = [UID(uid) for uid in AllTransferSyntaxes]
    return [uid for uid in uids if not uid.is_compressed or _decodes(uid)]


PAGES: dict[str, Callable[[], str]] = {
    "reference/commands.md": commands,
    "reference/model-file.md": model_file,
    "papers/soup.md": soup,
    "papers/dicom.md": dicom,
}


def main() -> int:
    """Write every page."""
    for path, page in PAGES.items():
        (ROOT / "docs" / path).write_text(page(), encoding="utf-8")
    return 0


def _prose(words: str) -> str:
    """A paragraph, its lines wrapped."""
    return textwrap.fill(words, 140, break_long_words=False, break_on_hyphens=False) + "\n"


def _command(parser: argparse.ArgumentParser, level: int = 2) -> Iterator[str]:
    """One command, and the commands within it."""
    yield f"{'#' * level} {parser.prog}\n"
    yield f"{_cell(parser.description or '')}\n"
    inner = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    options = [action for action in parser._actions if action not in inner and action.dest not in ("help", "version")]
    if options:
        yield "| option | what |"
        yield "|---|---|"
    for action in options:
        words = (action.help or "") % (vars(action) | {"prog": parser.prog})
        yield f"| `{_spelt(action)}` | {_cell(words)} |"
    yield ""
    for action in inner:
        for one in action.choices.values():
            yield from _command(one, level + 1)


def _spelt(action: argparse.Action) -> str:
    """An option as it is typed."""
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    value = " ".join(value) if isinstance(value, tuple) else value
    if not action.option_strings:
        return value.replace("|", "/")
    name = ", ".join(action.option_strings)
    return (name if action.nargs == 0 else f"{name} {value}").replace("|", "/")


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "/").replace("<", "&lt;")


def _type(kind: dict[str, Any]) -> str:
    """A JSON schema's type in words."""
    if "$ref" in kind:
        name = kind["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in kind:
        return " or ".join(_type(one) for one in kind["anyOf"])
    if "enum" in kind:
        return " or ".join(f"`{value}`" for value in kind["enum"])
    if kind.get("type") == "array":
        parts = kind.get("prefixItems") or ([kind["items"]] if kind.get("items") else [])
        return "list of " + ", ".join(_type(part) for part in parts)
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    said = [f"{sign} {kind[name]:g}" for name, sign in limits.items() if name in kind]
    return " ".join([str(kind.get("type", "any")), *said])


def _attributes(dataset: Dataset) -> list[str]:
    """Every attribute, sequences included, without values."""
    lines = ["| tag | attribute | VR |", "|---|---|---|"]
    for depth, element in _elements(dataset):
        empty = element.VR != "SQ" and element.is_empty
        name = f"*{element.keyword}*" if empty else element.keyword
        lines.append(f"| {element.tag} | {'> ' * depth}{name} | {element.VR} |".replace("> ", "&gt; "))
    return lines


def _elements(dataset: Dataset, depth: int = 0) -> Iterator[tuple[int, Any]]:
    for element in dataset:
        yield depth, element
        if element.VR == "SQ" and element.value:
            yield from _elements(element.value[0], depth + 1)


def _decodes(uid: UID) -> bool:
    try:
        return bool(get_decoder(uid).is_available)
    except NotImplementedError:
        return False


if __name__ == "__main__":
    sys.exit(main())
