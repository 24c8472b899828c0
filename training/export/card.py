"""The model card beside an exported model: what it is, on whom it was trained, what was measured, what it cannot do."""

from collections.abc import Iterator

from inference.contract import BandScore, Certainty, Measured, ModelContract
from training.export.training_facts import SIMULATED_LACKS


def model_card(contract: ModelContract, sha256: str) -> str:
    """The card as Markdown.

    Args:
        contract: as stored in the file.
        sha256: sha256 of the file.
    """
    return "\n".join(_lines(contract, sha256)) + "\n"


def _lines(contract: ModelContract, sha256: str) -> Iterator[str]:
    """The card, line by line."""
    identity, wanted, provenance = contract.identity, contract.input, contract.provenance
    yield f"# {identity.name} {identity.version}"
    yield f"\n**{identity.intended_use}**"
    if contract.population.simulated:
        yield "\n**Trained on simulated patients: a demonstration, never evidence of clinical accuracy.**"
    yield "\n## What it is"
    yield f"\nA 2D nnU-Net that outlines brain tumour on intra-operative ultrasound. Created {identity.created}."
    yield f"\n- file: sha256 `{sha256}`, licence {identity.licence}"
    (rows, cols), (row_mm, col_mm) = wanted.patch, wanted.spacing_mm
    yield f"- input: {rows} x {cols} pixels of {row_mm:g} x {col_mm:g} mm"
    yield f"- folds fused: {contract.output.folds}; trained with nnunetv2 ({provenance.nnunetv2}), {provenance.trainer}"
    if contract.output.keep_largest:
        yield "- only the largest contour of a frame is kept, as nnU-Net's cross-validation chose"
    if contract.output.cavity_index is not None:
        yield "- it tells the resection cavity from the tumour; all figures below are the tumour's"
    yield f"- training slices: {_cutoff(provenance.area_cutoff_mm2)}; labels from: {provenance.label_origin}"
    yield "\n## On whom it was trained"
    yield f"\n{contract.population.words}"
    seen = wanted.seen
    known = "Pixels" if seen.rows[0] < seen.rows[1] or seen.cols[0] < seen.cols[1] else "On the median, pixels"
    yield f"\n{known} of {seen.spacing_mm[0]:.2f} to {seen.spacing_mm[1]:.2f} mm were met in training."
    yield "\n## What was measured"
    reliability = contract.reliability
    if reliability.fast is None and reliability.thorough is None:
        yield "\nNothing: no evaluation was given at export."
    yield from _scores(reliability.fast, "one pass without mirrors")
    yield from _scores(reliability.thorough, "the mean over all mirrors")
    for certainty in contract.certainty:
        yield from _certainty(certainty)
    yield from _limits(contract)
    yield from _proof(contract)


def _cutoff(area_mm2: float | None) -> str:
    """Which tumour slices were used."""
    return "area cut-off not recorded" if area_mm2 is None else f"tumours over {area_mm2:g} mm²"


def _scores(measured: Measured | None, way: str) -> Iterator[str]:
    """The scores measured in one mode."""
    if measured is None:
        return
    kind = "simulated patients" if measured.simulated else "patients"
    yield f"\nOn {measured.data}: {measured.n_patients} {kind}, {measured.n_slices} slices, {way}."
    for words, scores in (("segmented", measured.by_predicted_area), ("true", measured.by_true_area)):
        yield f"\n| {words} area, mm² | slices | patients | Dice mean | SD | median |"
        yield "|---|---|---|---|---|---|"
        yield from (_row(score) for score in scores)
    yield f"\n- tumour slices on which nothing was found: {_share(measured.miss_rate)}"
    yield f"- tumour-free slices without any contour: {_share(measured.specificity)}"
    yield f"- tumour-free slices without a contour over 35 mm²: {_share(measured.specificity_35mm2)}"


def _certainty(certainty: Certainty) -> Iterator[str]:
    """What the probabilities are worth in one mode."""
    found, failure = certainty.calibration, certainty.failure
    kind = "simulated patients" if certainty.simulated else "patients"
    interval = "" if found.ece_interval is None else " (95 % interval {:.3f} to {:.3f})".format(*found.ece_interval)
    yield f"\n## What its probability is worth ({certainty.mode.value} mode)"
    yield f"\nOn {certainty.data}: {certainty.n_patients} {kind}, {certainty.n_slices} slices; each half of the"
    yield "patients measured with what was fitted on the other half."
    yield f"\n- temperature {found.temperature:.2f}, which changes no mask"
    yield f"- expected calibration error {found.ece_before:.3f} before, {found.ece:.3f} after{interval}; mean over bins"
    yield f"  {found.ace_before:.3f} before, {found.ace:.3f} after"
    yield f"- a contour with a {failure.score.value.replace('_', ' ')} below {failure.threshold:.3f} is likely to fail:"
    below, above = _number(failure.dice_below), _number(failure.dice_above)
    yield f"  mean Dice {below}, of the other {failure.coverage:.0%} {above}, of all {failure.n_contours} on slices"
    yield f"  with tumour {failure.dice:.2f}; of the false contours elsewhere {_share(failure.false_below)} are below"
    yield "- of an empty answer nothing is foretold"


def _row(score: BandScore) -> str:
    """One line of a table of scores."""
    low, high = score.band
    band = f"over {low:g}" if high is None else f"{low:g} to {high:g}"
    dice = (_number(value) for value in (score.dice_mean, score.dice_sd, score.dice_median))
    return f"| {band} | {score.n_slices} | {score.n_patients} | {' | '.join(dice)} |"


def _limits(contract: ModelContract) -> Iterator[str]:
    """What the model cannot do."""
    yield "\n## Limits"
    limit = contract.reliability.min_reliable_area_mm2
    yield f"\n- Contours of {limit:g} mm² or less are unreliable, and the viewer says so."
    yield "- It needs the pixel spacing; without one nothing is analysed unless the user asks for it."
    yield "- Nothing found is no evidence that there is no tumour."
    if contract.population.simulated:
        yield "\nThe simulator does not show:"
        yield ""
        yield from (f"- {gap}" for gap in SIMULATED_LACKS)


def _proof(contract: ModelContract) -> Iterator[str]:
    """The evidence that the file gives nnU-Net's masks, and what a lower precision costs."""
    if contract.parity:
        yield "\n## Same masks as nnU-Net"
    for parity in contract.parity:
        yield f"\nAgainst {parity.reference} ({parity.settings}) on {parity.n_slices} slices ({parity.slices}):"
        yield f"{parity.identical:.1%} of the masks are identical, the lowest Dice between them is"
        yield f"{parity.dice_min:.5f}, the largest difference in area {parity.area_delta_max_mm2:.2f} mm²."
    if contract.reduction is None:
        return
    reduction = contract.reduction
    yield f"\n## What {contract.provenance.precision} costs"
    yield f"\nAgainst the same network in float32 on {reduction.n_slices} slices ({reduction.slices}): Dice between the"
    yield f"masks {reduction.dice_mean:.4f} on average, {reduction.dice_min:.4f} at least; Dice to the truth"
    yield f"{reduction.truth_dice:.4f}, in float32 {reduction.truth_dice_float32:.4f}. Between the masks, areas under"
    yield "35 mm² count as 35 mm²."
    if contract.provenance.precision == "bfloat16":
        yield "\nThe file holds the float32 network. It runs in bfloat16 where OpenVINO is installed and the processor"
        yield "computes in bfloat16, elsewhere in float32; the screen names which."


def _number(value: float | None) -> str:
    """A score, or a dash where there is none."""
    return "-" if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    """A share in percent, or the words that it was not measured."""
    return "not measured" if value is None else f"{value:.1%}"
