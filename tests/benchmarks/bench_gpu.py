"""Everything that a machine with an NVIDIA card is asked, in one run of some six minutes, without a network.

Which provider is really there, the self-test and every node's place; masks beside nnU-Net's on the CPU and on CUDA;
p50, p95 and p99 of network and whole frame for both plans in float32, TF32 and float16, beside PyTorch on the same
card, eager and compiled; memory; and what happens when the card is taken away or its memory is full.

    python tests/benchmarks/bench_gpu.py [--dry] [--out FILE]

Each section prints as it goes and is written at once, so that a run that is cut off still says something. `--dry` runs
the same code on the CPU, a few runs a figure, to see that it runs; its figures mean nothing and are kept nowhere.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
if find_spec("SimpleITK") is None:  # nnU-Net imports it for files, of which none is read here
    sys.modules["SimpleITK"] = types.ModuleType("SimpleITK")

import numpy as np
import onnx
import onnxruntime as ort
import torch
from benchfile import PATH, machine
from numpy.typing import NDArray
from rivals import Rival, built, frame_of, spacing_of

from inference.assets import demo_clip_path, demo_model_path
from inference.errors import IusError
from inference.frame import Frame
from inference.model.engine import Engine
from inference.model.onnxruntime_session import RUN_ERRORS, options
from inference.model.providers import CPU
from inference.model.segmenter import Segmenter
from inference.sources import open_source
from training.export import parity
from training.export.network import build_network
from training.export.norm import fuse_norms
from training.export.precision import to_float16
from training.nnunet.warm_start import load_export

CUDA = "CUDAExecutionProvider"
SIZES = ((512, 512), (720, 1280), (1080, 1920))
FAULTS = (IusError, *RUN_ERRORS, OSError, AssertionError, ImportError, ValueError, KeyError, subprocess.SubprocessError)
"""What a section may break with: it is noted, and the next one goes on. (torch.cuda's errors are RuntimeErrors.)"""
WAYS = {
    "float32, as shipped": ("file", {}),
    "TF32": ("file", {"use_tf32": "1"}),
    "float32, exhaustive search": ("file", {"cudnn_conv_algo_search": "EXHAUSTIVE"}),
    "float32, NHWC": ("file", {"prefer_nhwc": "1"}),
    "float32, norms fused": ("fused", {}),
    "float16": ("half", {}),
    "float16, NHWC": ("half", {"prefer_nhwc": "1"}),
    "float16, norms fused, NHWC": ("half fused", {"prefer_nhwc": "1"}),
}
TORCH = {"float32": (None, False), "TF32": (None, True), "float16": (torch.float16, True)}


@dataclasses.dataclass
class Run:
    """One run: on what, how often, and what it found so far."""

    dry: bool
    out: Path | None
    found: dict[str, Any] = dataclasses.field(default_factory=dict)
    began: float = dataclasses.field(default_factory=time.perf_counter)

    @property
    def provider(self) -> str:
        """What is measured."""
        return CPU if self.dry else CUDA

    @property
    def device(self) -> str:
        """The same in PyTorch's words."""
        return "cpu" if self.dry else "cuda"

    @property
    def runs(self) -> tuple[int, int]:
        """Runs before a figure, and for it."""
        return (1, 2) if self.dry else (20, 200)

    def keep(self, name: str, value: object) -> None:
        """Print a figure, and write all so far."""
        self.found[name] = value
        print(f"[{time.perf_counter() - self.began:6.1f} s] {name}: {json.dumps(value, default=str)}", flush=True)
        if self.out is not None:
            aside = self.out.with_suffix(".part")
            aside.write_text(json.dumps(self.found, indent=2, default=str) + "\n")
            aside.replace(self.out)

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """A part that may break without taking the rest with it; a dry run is there to see that none does."""
        try:
            yield
        except FAULTS as error:
            self.keep(f"{name} FAILED", repr(error)[:400])
            if self.dry:
                raise

    def timed(self, job: Callable[[], object]) -> dict[str, float]:
        """Milliseconds of a job, the card's work included."""
        warm, count = self.runs
        times = []
        for number in range(warm + count):
            began = time.perf_counter()
            job()
            if not self.dry:
                torch.cuda.synchronize()
            if number >= warm:
                times.append((time.perf_counter() - began) * 1e3)
        p50, p95, p99 = np.percentile(times, [50, 95, 99])
        return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "p99": round(float(p99), 3)}

    def memory_mib(self) -> int:
        """Of the card, taken by everybody."""
        if self.dry:
            return 0
        free, total = torch.cuda.mem_get_info()
        return int((total - free) >> 20)

    def session(self, path: Path, **more: str) -> ort.InferenceSession:
        """As the product opens it, but for what is tried."""
        settings = ort.SessionOptions()
        settings.log_severity_level = 3
        wanted = [(self.provider, options(self.provider, None) | ({} if self.dry else more))]
        return ort.InferenceSession(path, settings, wanted if self.dry else [*wanted, CPU])


def product(run: Run) -> None:
    """The bundled model as the product loads it, and its first frames in another thread, as the window has them."""
    began = time.perf_counter()
    engine = Engine.load(demo_model_path(), providers=[CPU] if run.dry else None)
    loaded = time.perf_counter() - began
    tested = dataclasses.asdict(engine.self_test)
    said = {"provider": engine.provider, "fallbacks": engine.fallbacks, "self_test": tested, "load_s": round(loaded, 2)}
    run.keep("product", said | {"warm_up_ms": engine.warm_up_ms, "card_mib": run.memory_mib()})
    first: list[float] = []
    tile = np.zeros((1, 1, *engine.contract.input.patch), np.float32)

    def elsewhere() -> None:
        for _ in range(3):
            begun = time.perf_counter()
            engine.run(tile)
            first.append(round((time.perf_counter() - begun) * 1e3, 2))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    run.keep("first frames in another thread, ms", first)
    assert run.dry or engine.provider in {"CUDA", "TensorRT"}, engine.fallbacks


def placement(run: Run, work: Path) -> None:
    """Where each node of the bundled model runs, and its microseconds over five frames."""
    settings = ort.SessionOptions()
    settings.enable_profiling, settings.profile_file_prefix = True, str(work / "profile")
    settings.log_severity_level = 3
    wanted: list[Any] = [(run.provider, options(run.provider, None))]
    session = ort.InferenceSession(demo_model_path(), settings, wanted if run.dry else [*wanted, CPU])
    image = session.get_inputs()[0]
    for _ in range(5):
        session.run(None, {image.name: np.random.default_rng(0).random(image.shape, np.float32)})
    cost: dict[str, list[int]] = {}
    for event in json.loads(Path(session.end_profiling()).read_text()):
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            place = cost.setdefault(f"{event['args'].get('provider')} {event['args'].get('op_name')}", [0, 0])
            place[0] += 1
            place[1] += event["dur"]
    run.keep("nodes: runs, microseconds", dict(sorted(cost.items(), key=lambda item: -item[1][1])))


def masks_of(engine: Engine, frames: list[Frame]) -> list[NDArray[np.uint8]]:
    """Masks of frames of known scale."""
    return [engine.segment(frame.pixels, spacing_of(frame)).margin.mask() for frame in frames]


def same_masks(run: Run, rival: Rival) -> torch.nn.Module:
    """The bundled model's masks on the card, beside the CPU's and nnU-Net's with the same weights; its network."""
    cpu = Engine.load(demo_model_path(), providers=[CPU])
    plans = json.loads(json.dumps(rival.trained.plans))
    plans["configurations"]["2d"]["use_mask_for_norm"] = [cpu.contract.input.mask_normalisation]
    network = build_network(rival.trained)
    load_export(network, demo_model_path())
    weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
    reference = parity.Reference(dataclasses.replace(rival.trained, plans=plans, weights=(weights,)))
    with open_source(str(demo_clip_path())) as source:
        every = max(1, len(source) // (1 if run.dry else 70))
        frames = [source.read(index) for index in range(every // 2, len(source), every)]

    def against(name: str, masks: list[NDArray[np.uint8]], base: list[NDArray[np.uint8]]) -> None:
        differing = [int(np.count_nonzero(one != other)) for one, other in zip(masks, base, strict=True)]
        tumour = int(np.mean([one.sum() for one in base]))
        identical = sum(count == 0 for count in differing)
        run.keep(
            f"masks: {name}",
            {"frames": len(frames), "identical": identical, "most_px": max(differing), "tumour_px": tumour},
        )

    def nnunet() -> list[NDArray[np.uint8]]:
        return [reference.predict(frame.pixels, spacing_of(frame)) for frame in frames]

    card = Engine(demo_model_path(), "", run.session(demo_model_path()))
    ours, here, theirs = masks_of(cpu, frames), masks_of(card, frames), nnunet()
    against("ours on the CPU, nnU-Net's on the CPU", ours, theirs)
    against("ours on the card, nnU-Net's on the CPU", here, theirs)
    against("ours on the card, ours on the CPU", here, ours)
    if not run.dry:
        predictor = reference._predictor
        predictor.device, predictor.perform_everything_on_device = torch.device("cuda"), True
        predictor.network.to("cuda")
        on_cuda = nnunet()
        against("nnU-Net's on CUDA (its own float16 autocast), nnU-Net's on the CPU", on_cuda, theirs)
        against("ours on the card, nnU-Net's on CUDA", here, on_cuda)
        for name in ("TF32", "float32, NHWC", "float32, exhaustive search"):
            other = Engine(demo_model_path(), "", run.session(demo_model_path(), **WAYS[name][1]))
            against(f"ours on the card in {name}, nnU-Net's on the CPU", masks_of(other, frames), theirs)
    return network


def latency(run: Run, plan: str, file: Path, network: torch.nn.Module, work: Path) -> None:
    """Network and whole frame in each way, and PyTorch's on the same device."""
    files = {"file": file}
    for name, change in {
        "fused": fuse_norms,
        "half": to_float16,
        "half fused": lambda model: to_float16(fuse_norms(model)),
    }.items():
        files[name] = work / f"{plan} {name}.onnx"
        onnx.save(change(onnx.load(file)), files[name])
    for name, (which, told) in WAYS.items():
        if run.dry and told:
            continue  # the CPU knows none of these
        with run.section(f"{plan}: {name}"):
            before = run.memory_mib()
            session = run.session(files[which], **told)
            image = session.get_inputs()[0]
            feed = {image.name: np.random.default_rng(0).random(image.shape, np.float32)}
            row: dict[str, object] = {"network": run.timed(lambda s=session, f=feed: s.run(None, f))}
            segmenter = Segmenter(Engine(files[which], "", session))
            for size in SIZES[:1] if run.dry else SIZES:
                frame = frame_of(size, plan)
                row[f"whole frame {size[1]}×{size[0]}"] = run.timed(lambda s=segmenter, f=frame: s(f))
            run.keep(f"{plan}: {name}", row | {"card_mib": run.memory_mib() - before})
    if not run.dry:
        for name, told in {"io-binding": {}, "CUDA graph": {"enable_cuda_graph": "1"}}.items():
            with run.section(f"{plan}: float32, {name}"):
                run.keep(f"{plan}: float32, {name}", run.timed(bound(run.session(file, **told))))
    image = torch.rand(1, 1, *onnx_shape(file))
    for how in ("eager",) if run.dry else ("eager", "compiled"):
        for name, (dtype, tf32) in TORCH.items():
            with run.section(f"{plan}: PyTorch {how} {name}"):
                run.keep(f"{plan}: PyTorch {how} {name}", in_torch(run, network, image, dtype, tf32, how))


def onnx_shape(file: Path) -> tuple[int, int]:
    """Rows and columns of a network's input."""
    rows, cols = ort.InferenceSession(file, providers=[CPU]).get_inputs()[0].shape[2:]
    return rows, cols


def bound(session: ort.InferenceSession) -> Callable[[], object]:
    """One pass whose picture and answer have their places on the card."""
    image, answer, binding = session.get_inputs()[0], session.get_outputs()[0], session.io_binding()
    host = np.random.default_rng(0).random(image.shape, np.float32)
    there = ort.OrtValue.ortvalue_from_numpy(host, "cuda", 0)
    back = ort.OrtValue.ortvalue_from_shape_and_type(answer.shape, np.float32, "cuda", 0)
    binding.bind_ortvalue_input(image.name, there)
    binding.bind_ortvalue_output(answer.name, back)

    def job() -> object:
        there.update_inplace(host)
        session.run_with_iobinding(binding)
        return back.numpy()

    return job


def in_torch(
    run: Run, network: torch.nn.Module, image: torch.Tensor, dtype: torch.dtype | None, tf32: bool, how: str
) -> dict[str, float]:
    """The same network in PyTorch, the picture's way there and the answer's way back included."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = True
    layout = torch.contiguous_format if dtype is None else torch.channels_last
    there = network.to(run.device).to(memory_format=layout).eval()
    called: Any = torch.compile(there, mode="reduce-overhead") if how == "compiled" else there

    def job() -> object:
        lower = torch.autocast(run.device, dtype or torch.bfloat16, enabled=dtype is not None)
        with torch.inference_mode(), lower:
            return called(image.to(run.device)).float().cpu()

    began = time.perf_counter()
    job()
    return {"first_s": round(time.perf_counter() - began, 1), **run.timed(job)}


def taken_away(run: Run) -> None:
    """What a fresh process says of no card, of one that is not there, and of a card whose memory is full."""
    code = (
        "import sys; from pathlib import Path; from inference.model.engine import Engine; "
        "engine = Engine.load(Path(sys.argv[1])); print(engine.provider, '|', ' '.join(engine.fallbacks))"
    )

    def said(**more: str) -> str:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | more
        command = [sys.executable, "-c", code, str(demo_model_path())]
        answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        return (answer.stdout or answer.stderr)[-400:].strip()

    run.keep("taken away: no card visible", said(CUDA_VISIBLE_DEVICES=""))
    if not run.dry:
        run.keep("taken away: a card that is not there", said(CUDA_VISIBLE_DEVICES="7"))
        free, _ = torch.cuda.mem_get_info()
        held = torch.empty(max(0, free - (300 << 20)), dtype=torch.uint8, device="cuda")
        run.keep(f"taken away: all memory but 300 MiB, {held.numel() >> 20} held", said())


def main() -> None:
    """Ask, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--dry", action="store_true", help="on the CPU, a few runs, kept nowhere unless --out")
    parser.add_argument("--out", type=Path, help="JSON to write (default: bench-gpu.json at the root)")
    given = parser.parse_args()
    run = Run(given.dry, given.out or (None if given.dry else PATH.with_name("bench-gpu.json")))
    run.keep("machine", machine())
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with run.section("product"):
            product(run)
        with run.section("placement"):
            placement(run, work)
        for plan in ("realtime",) if run.dry else ("realtime", "full"):
            with run.section(plan):
                (work / plan).mkdir()
                rival = built(work / plan, plan)
                small = plan == "realtime"
                network = same_masks(run, rival) if small else build_network(rival.trained)
                latency(run, plan, demo_model_path() if small else rival.file, network, work)
    with run.section("taken away"):
        taken_away(run)
    run.keep("seconds", round(time.perf_counter() - run.began, 1))


if __name__ == "__main__":
    main()
