"""`ius-train demo`: make the demonstration model, by the experiment `demo`, and the demonstration clip."""

import argparse
from pathlib import Path

from training.stages.numbers import JOBS

WORDS = "make the demonstration model and clip from nothing: the experiment 'demo', then the clip"
CLIP_SEED = 9


def add_arguments(one: argparse.ArgumentParser) -> None:
    """Add the arguments for the working folder, the output and the size."""
    one.add_argument("--work", type=Path, required=True, help="working folder (some GB), kept for resuming")
    one.add_argument("--out", type=Path, required=True, help="folder that gets models/ and clips/")
    one.add_argument("--jobs", type=JOBS, default=2, help="processes (default: %(default)s)")
    one.add_argument("--small", action="store_true", help="a trial run of minutes; its model is worth nothing")


def run(arguments: argparse.Namespace) -> None:
    """Run the experiment, and copy its export and the clip to where the package looks for them."""
    import shutil

    from training.experiments.declaration import find_experiment
    from training.simulation.clip import simulate_clip
    from training.workflow.run import Machine, run_experiment

    run_experiment(find_experiment("demo"), arguments.work, Machine(arguments.jobs), small=arguments.small)
    models, clips = arguments.out / "models", arguments.out / "clips"
    for folder in (models, clips):
        folder.mkdir(parents=True, exist_ok=True)
    for name in ("demo.onnx", "demo.md"):
        shutil.copyfile(arguments.work / "exports" / name, models / name)
    simulate_clip(clips / "demo.dcm", CLIP_SEED)
