"""The style of all figures, with colours that colour-blind readers can tell apart."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from training.evaluation.population import Population
from training.io.files import written_aside

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRUTH = "#00c08b"
"""Green, as in the paper's Figures 6 and 8; bluish, so that it stays distinct to readers without red cones."""
_COLOURS = ("#e69f00", "#56b4e9", "#d55e00", "#cc79a7", "#0072b2", "#f0e442", "#7f7f7f")
"""Okabe and Ito (2008), without their green, which we use for the truth."""
EDGE = "#5b6470"
"""The colour of the edges of bars, boxes and axes."""


def colours(models: Iterable[str]) -> dict[str, str]:
    """One colour per model: distinct for a few models, an ordered scale (plasma) for many, such as nine cut-offs."""
    names = list(models)
    if len(names) <= len(_COLOURS):
        return dict(zip(names, _COLOURS, strict=False))
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    scale = colormaps["plasma"]
    return {name: to_hex(scale(0.15 + 0.8 * at / (len(names) - 1))) for at, name in enumerate(names)}


def new_figure(width: float, height: float) -> "Figure":
    """An empty figure in this style, width and height in inches, drawn without a display."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update(
        {
            "font.size": 9,
            "font.family": "DejaVu Sans",
            "axes.titlesize": 10,
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": EDGE,
            "axes.axisbelow": True,
            "axes.grid": True,
            "axes.grid.axis": "y",
            "grid.color": "#e3e6ea",
            "grid.linewidth": 0.8,
            "xtick.color": EDGE,
            "ytick.color": EDGE,
            "xtick.labelcolor": "black",
            "ytick.labelcolor": "black",
            "legend.frameon": False,
        }
    )
    return Figure(figsize=(width, height), layout="constrained")


def save(figure: "Figure", path: Path, population: Population) -> None:
    """Write a PNG whose bytes depend only on what is drawn; a figure of simulated patients says so in the picture."""
    if population.simulated:
        figure.supxlabel("Simulated patients", fontsize=8, color=EDGE, x=0.995, ha="right")
    if population is Population.BY_EYE:
        figure.supxlabel("Outlines drawn by eye, by no expert", fontsize=8, color=EDGE, x=0.995, ha="right")
    with written_aside(path) as aside:
        figure.savefig(aside, dpi=160, format="png", metadata={"Software": None})
