"""The same weights in our engine and in nnU-Net's own predictor, on the same frames and as many threads."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import onnx
import onnxruntime as ort
import torch
from networks import FULL, REALTIME, write_random_model

from inference.contract import Identity, ModelContract
from inference.errors import ModelError
from inference.frame import Frame
from inference.model.engine import Engine
from inference.model.golden import GoldenCase
from inference.model.providers import OPENVINO, default_threads
from inference.sources.simulated import PhantomSource
from training.export import parity
from training.export import training_facts as facts
from training.export.contract import contract_of
from training.export.input_ranges import seen_in_training
from training.export.network import to_onnx
from training.export.onnx_file import seal, write_onnx
from training.nnunet.results.checkpoint import Trained, read_trained

PLANS = {"full": FULL, "realtime": REALTIME}
SIZES = ((384, 512), (512, 512), (768, 1024))
"""(rows, cols) of the pictures."""
WIDTH_MM = {"full": 102.4, "realtime": 85.0}
"""Of every picture, as scanners send them; at 512×512 the full plan needs two tiles."""
ON = "phantom pictures (simulated), random weights: times mean something, masks do not"


@dataclass(frozen=True)
class Rival:
    """The same weights in the engine and in nnU-Net.

    Attributes:
        folder: nnU-Net's, of one model.
        file: exported from it.
        bfloat16: the engine of the same weights in bfloat16; None where this computer cannot, or for a small network.
    """

    folder: Path
    file: Path
    trained: Trained
    engine: Engine
    reference: parity.Reference
    bfloat16: Engine | None = None


class Clocked:
    """A session that notes how long its runs take, and how long the calling thread computes meanwhile."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self.ms = self.cpu_ms = 0.0

    def run(self, *inputs: Any) -> Any:
        """As the session's own."""
        started, computed = time.perf_counter(), time.thread_time()
        answer = self._session.run(*inputs)
        self.ms += (time.perf_counter() - started) * 1e3
        self.cpu_ms += (time.thread_time() - computed) * 1e3
        return answer


def built(work: Path, plan: str, folds: int = 1) -> Rival:
    """A random network of a plan, exported and as nnU-Net runs it in one pass; both on the same threads."""
    torch.set_num_threads(default_threads())
    folder = write_random_model(work, PLANS[plan], folds)
    trained = read_trained(folder, range(folds))
    identity = Identity(name=plan, version="1", created="2026-01-01", licence="none", intended_use="measurement")
    people = facts.simulated_population(0, native=False)
    contract = contract_of(trained, identity, people, seen_in_training(trained), {}, "simulated")
    reference = parity.Reference(trained)
    model = to_onnx(trained)
    small = PhantomSource(96, 128, spacing_mm=(0.3, 0.4)).read(0)
    cases = [GoldenCase(small.pixels, (0.3, 0.4), reference.predict(small.pixels, (0.3, 0.4)))]
    seal(model, contract, cases)
    file = work / f"{plan}.onnx"
    write_onnx(model, file)
    other = _in_bfloat16(model, contract, cases, work / "bfloat16.onnx") if plan == "full" and folds == 1 else None
    return Rival(folder, file, trained, Engine.load(file, trial=True), reference, other)


def _in_bfloat16(model: onnx.ModelProto, contract: ModelContract, cases: list[GoldenCase], file: Path) -> Engine | None:
    """The engine that a bfloat16 export of a network would make here; no gate, since its masks mean nothing."""
    said = msgspec.structs.replace(contract.provenance, precision="bfloat16")
    seal(model, msgspec.structs.replace(contract, provenance=said), cases)
    write_onnx(model, file)
    try:
        return Engine.load(file, providers=[OPENVINO], trial=True)
    except ModelError as error:
        print(f"bfloat16 is not measured: {error}")
        return None


def frame_of(size: tuple[int, int], plan: str) -> Frame:
    """A speckled phantom frame."""
    mm = WIDTH_MM[plan] / size[1]
    return PhantomSource(*size, spacing_mm=(mm, mm), speckle=0.3).read(5)


def spacing_of(frame: Frame) -> tuple[float, float]:
    """(row, col) mm a pixel."""
    assert frame.spacing is not None
    return frame.spacing.row_mm, frame.spacing.col_mm


def milliseconds(job: Callable[[], object]) -> float:
    """How long a job takes."""
    started = time.perf_counter()
    job()
    return (time.perf_counter() - started) * 1e3
