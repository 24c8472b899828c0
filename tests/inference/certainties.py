"""What a model's probabilities are worth, made up: for tests of what is read, said and kept of it."""

import msgspec

from inference import contract as c


def certainty(
    *,
    mode: c.Mode = c.Mode.FAST,
    score: c.QualityScore = c.QualityScore.MEAN_PROBABILITY,
    threshold: float = 0.8,
    temperature: float = 2.0,
    simulated: bool = True,
) -> c.Certainty:
    return c.Certainty(
        mode=mode,
        data="sealed cohort B",
        simulated=simulated,
        n_patients=6,
        n_slices=360,
        calibration=c.Calibration(
            temperature=temperature,
            n_pixels=720_000,
            ece_before=0.11,
            ece=0.04,
            ece_interval=(0.02, 0.07),
            ace_before=0.25,
            ace=0.15,
            diagram=(c.DiagramBin(pixels=1.0, probability=0.2, tumour=0.25),),
        ),
        failure=c.FailurePrediction(
            score=score,
            threshold=threshold,
            n_contours=161,
            coverage=0.8,
            dice=0.61,
            dice_above=0.71,
            dice_below=0.23,
            aurc=0.21,
            false_below=0.4,
            curve=((1.0, 0.61), (0.8, 0.71)),
        ),
    )


def certain(contract: c.ModelContract, *some: c.Certainty) -> c.ModelContract:
    """The same contract with this certainty."""
    return msgspec.structs.replace(contract, schema=c.CERTAIN_SCHEMA, certainty=some or (certainty(),))
