"""`ius-train real`: write a page of models beside the plainly visible tumours in real volumes."""

import argparse
from pathlib import Path

from training.stages.evaluate import named_folders
from training.stages.settings import settings_of

WORDS = "score exported models against outlines drawn by eye in real volumes, and show each picture"


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the models, the volumes, the outlines and the page."""
    one.add_argument("models", nargs="+", metavar="NAME=ONNX", help="a name and an exported model each")
    one.add_argument("--volumes", type=Path, required=True, help="folder of the real volumes")
    one.add_argument("--outlines", type=Path, help="what was outlined (default: the nine RESECT volumes)")
    one.add_argument("--work", type=Path, required=True, help="gets the slices, the masks and ius-train's report")
    one.add_argument("--note", action="append", default=[], metavar="WORDS", help="a sentence above the pictures")
    one.add_argument("--page", type=Path, required=True, help="the Markdown page; its picture lies in figures/ beside")


def run(arguments: argparse.Namespace) -> None:
    """Cut, predict and evaluate the slices, and write the page."""
    from training.evaluation.real_page import write_page
    from training.io.receipt import write_receipt
    from training.slicing.by_eye import OUTLINES, read_outlines

    outlines = arguments.outlines or OUTLINES
    models = named_folders(arguments.models)
    write_page(models, read_outlines(outlines), arguments.volumes, arguments.work, arguments.page, arguments.note)
    write_receipt(arguments.work, "real", settings_of(arguments), [outlines, *models.values()])
    print(arguments.page)
