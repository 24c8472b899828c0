"""The report on what a model's probabilities are worth: reliability diagram, risk against coverage, and the tables."""

from collections.abc import Sequence
from pathlib import Path

from inference.contract import QualityScore
from training.evaluation.certainty import WITHHELD, Measurement
from training.evaluation.figure_style import EDGE, colours, new_figure, save
from training.evaluation.page import Page, Picture, Section
from training.evaluation.population import Population
from training.evaluation.tables import Cell, Percent, Table

WORDS = (
    "Cross-fitted: each half of the patients is measured with the temperature and the threshold of the other half.",
    "Pixels: the same number from each slice's sector, drawn at random, with tumour as rare as it is.",
    "ECE is the mean distance between probability and share of tumour over pixels in ten bins, ACE that over bins.",
    "Dice against coverage: contours on slices with tumour, those with the lowest score withheld first. AURC is the "
    "area under the curve of 1 - Dice.",
    "An empty answer has no score: it says 'no tumour segmented, not evidence of absence' on every frame.",
)
_NAMES = {
    QualityScore.MEAN_PROBABILITY: "mean probability inside",
    QualityScore.EXPECTED_DICE: "expected Dice",
    QualityScore.SHARPNESS: "area over 75 % by area over 25 %",
}


def write_certainty(measured: Sequence[Measurement], out: Path, population: Population) -> None:
    """Write `report.html`, `report.md`, the figures, and each table as CSV.

    Args:
        measured: one per mode.
        out: folder of the report.
        population: whose slices they are.
    """
    sections = [section for one in measured for section in _sections(one, out, population)]
    for section in sections:
        for table in section.tables:
            table.write_csv(out / "tables" / f"{table.key}.csv")
    first = measured[0].certainty
    counts = f"{first.n_slices} slices of {first.n_patients} patients."
    Page("What the model's probabilities are worth", first.data, counts, tuple(sections), WORDS).write(out)


def _sections(measured: Measurement, out: Path, population: Population) -> list[Section]:
    mode = measured.certainty.mode.value
    diagram, risk = diagram_table(measured), risk_table(measured)
    draw_diagram(measured, out / "figures" / f"{diagram.key}.png", population)
    draw_risk(measured, out / "figures" / f"{risk.key}.png", population)
    return [
        Section(
            f"Probability ({mode})",
            population,
            (Picture(out / "figures" / f"{diagram.key}.png", "Reliability diagram", diagram.note),),
            (calibration_table(measured), diagram),
        ),
        Section(
            f"Contours that fail ({mode})",
            population,
            (Picture(out / "figures" / f"{risk.key}.png", "Dice against coverage", risk.note),),
            (failure_table(measured), risk),
        ),
    ]


def calibration_table(measured: Measurement) -> Table:
    """Temperature and errors, before and after."""
    found = measured.certainty.calibration
    interval = None if found.ece_interval is None else "{:.3f} to {:.3f}".format(*found.ece_interval)
    rows: tuple[tuple[Cell, ...], ...] = (
        ("network's own", 1.0, f"{found.ece_before:.3f}", None, f"{found.ace_before:.3f}"),
        ("calibrated", found.temperature, f"{found.ece:.3f}", interval, f"{found.ace:.3f}"),
    )
    note = f"{found.n_pixels} pixels. No mask changes. Interval: bootstrap over patients."
    head = ("probability", "temperature", "ECE", "95 % interval", "ACE")
    return Table(_key("calibration", measured), "Calibration", head, rows, note)


def diagram_table(measured: Measurement) -> Table:
    """The reliability diagram before and after."""
    rows: list[tuple[Cell, ...]] = []
    for name, bins in (("network's own", measured.before), ("calibrated", measured.certainty.calibration.diagram)):
        for at, one in enumerate(bins):
            between = f"{at / len(bins):.1f} to {(at + 1) / len(bins):.1f}"
            rows.append((name, between, Percent(one.pixels), one.probability, one.tumour))
    head = ("probability", "bin", "pixels", "mean probability", "share of tumour")
    note = "On the diagonal, of the pixels of a probability of 70 %, seven of ten are tumour."
    return Table(_key("reliability_diagram", measured), "Reliability diagram", head, tuple(rows), note)


def failure_table(measured: Measurement) -> Table:
    """The candidates, and the one in the contract."""
    failure, contours = measured.certainty.failure, measured.contours
    rows: list[tuple[Cell, ...]] = []
    for kind in QualityScore:
        chosen = "in the contract" if kind is failure.score else ""
        kept = contours.at(kind, 1 - WITHHELD)
        rows.append((_NAMES[kind], f"{contours.aurc(kind):.3f}", failure.dice, kept, kept - failure.dice, chosen))
    head = ("score", "AURC", "Dice of all", "of the best 80 %", "gain", "")
    below = "–" if failure.dice_below is None else f"{failure.dice_below:.2f}"
    above = "–" if failure.dice_above is None else f"{failure.dice_above:.2f}"
    false = "none" if failure.false_below is None else f"{failure.false_below:.0%} of the false contours"
    note = (
        f"{failure.n_contours} contours on slices with tumour. Above the other half's threshold stay "
        f"{failure.coverage:.0%}: mean Dice {above}, below {below}; below are also {false} (tumour-free slices)."
    )
    return Table(_key("failure", measured), "Which score foretells a failure", head, tuple(rows), note)


def risk_table(measured: Measurement) -> Table:
    """Mean Dice at each coverage, by score."""
    contours, curve = measured.contours, measured.certainty.failure.curve
    rows: list[tuple[Cell, ...]] = [
        (Percent(share), *(contours.at(kind, share) for kind in QualityScore)) for share, _ in curve
    ]
    note = "Mean Dice of the contours that stay, on slices with tumour."
    head = ("coverage", *_NAMES.values())
    return Table(_key("risk_coverage", measured), "Dice against coverage", head, tuple(rows), note)


def draw_diagram(measured: Measurement, path: Path, population: Population) -> None:
    """Share of tumour against probability, before and after; the area of a dot is its bin's share of the pixels."""
    figure = new_figure(4.6, 4.4)
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color=EDGE, linewidth=0.8)
    pairs = {"network's own": measured.before, "calibrated": measured.certainty.calibration.diagram}
    for name, colour in colours(pairs).items():
        filled = [one for one in pairs[name] if one.pixels]
        x, y = [one.probability or 0.0 for one in filled], [one.tumour or 0.0 for one in filled]
        axes.plot(x, y, color=colour, label=name)
        axes.scatter(x, y, [12 + 120 * one.pixels**0.5 for one in filled], color=colour, edgecolor="black", zorder=3)
    axes.set(title="Reliability diagram", xlabel="probability", ylabel="share of tumour", xlim=(0, 1), ylim=(0, 1))
    axes.legend(loc="upper left")
    save(figure, path, population)


def draw_risk(measured: Measurement, path: Path, population: Population) -> None:
    """Mean Dice against coverage, one line a score."""
    figure = new_figure(5.6, 3.8)
    axes = figure.subplots()
    for (kind, name), colour in zip(_NAMES.items(), colours(_NAMES.values()).values(), strict=True):
        means = measured.contours.kept(kind)
        shares = [(at + 1) / len(means) for at in range(len(means))]
        axes.plot(shares, means, color=colour, label=name)
    axes.axvline(1 - WITHHELD, color=EDGE, linewidth=0.8)
    axes.set(title="Dice against coverage", xlabel="share of the contours that stay", ylabel="mean Dice", xlim=(0, 1))
    axes.legend(loc="lower left")
    save(figure, path, population)


def _key(name: str, measured: Measurement) -> str:
    return f"{name}_{measured.certainty.mode.value}"
