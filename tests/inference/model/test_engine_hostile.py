"""Models that keep a part elsewhere, fill the memory, never end, or vouch for themselves: one sentence refuses each."""

import os
import re
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper
from tiny import threshold_model

from inference.assets import demo_model_path
from inference.errors import ContractError, ModelError
from inference.model import trial
from inference.model.engine import Engine
from inference.model.onnx_external import keeps_elsewhere
from inference.model.onnxruntime_session import TRIAL_S
from inference.model.time_limit import give_up_all

ELSEWHERE = ["ext-abs", "ext-beside", "ext-devzero", "ext-dotdot", "ext-procmem", "ext-symlink", "epcontext"]
CONTRACTS = ["selftest-tolerance-1e9-wrong-golden", "tile-step-1e-6", "patch-16M", "patch-32768", "spacing-0.001",
             "spacing-1e+09", "label-neg", "tumour-index-7", "two-inputs", "second-output"]  # fmt: skip
GOLDEN = ["gold-bomb-4GB", "gold-evalhdr", "gold-lzma", "gold-masksize", "gold-spacing0", "gold-3d", "gold-complex"]
HOSTILE = sorted((Path(__file__).resolve().parents[4] / "shared/data/hostile/onnx").glob("*.onnx"))
# These burn a core until their time is over, as loop-endless does: soak_steps.py runs them.
if "IUS_ALL_STEPS" not in os.environ:
    HOSTILE = [path for path in HOSTILE if path.stem not in ("loop-3M", "loop-const")]
RIGHT = {"gold-flip1"}
"""Of those, the one that is whole: a bit of no importance."""
NUMBERS = {"small": [1 << 10], "huge": [1 << 30], "times": [1 << 18], "start": 0.0, "end": float(1 << 30), "step": 1.0}
"""Inputs of the nodes that fill the memory; sizes in numbers of four bytes."""
VALUES = {"yes": True, "one": 1.0, "ones": [1.0]}
value = helper.make_tensor_value_info


def nodes(*calls: str | Sequence[str]) -> list[NodeProto]:
    """Nodes one after another, each an operator with its inputs; "." is the output of the one before."""
    made: list[NodeProto] = []
    for place, (operator, inputs) in enumerate(zip(calls[::2], calls[1::2], strict=True)):
        names = [f"step{place - 1}" if name == "." else name for name in inputs]
        made.append(helper.make_node(str(operator), names, [f"step{place}"]))
    made[-1].output[0] = "bomb"
    return made


BOMBS = {
    "constant": nodes("ConstantOfShape", ["huge"]),
    "expand": nodes("Expand", ["ones", "huge"]),
    "tile": nodes("Tile", ["ones", "huge"]),
    "range": nodes("Range", ["start", "end", "step"]),
    "of-the-picture": nodes("Flatten", ["image"], "Shape", ["."], "Mul", [".", "times"], "ConstantOfShape", ["."]),
}


def with_nodes(path: Path, added: Sequence[NodeProto]) -> None:
    """A threshold model that adds nothing to its answer but the time and memory of some more nodes."""
    threshold_model(path, patch=(64, 64))
    model = onnx.load(path)
    graph, out = model.graph, model.graph.output[0].name
    for node in graph.node:
        for place, name in enumerate(node.output):
            if name == out:
                node.output[place] = "plain"
    for name, number in (NUMBERS | VALUES).items():
        kind = bool if number is True else np.float32 if name in ("start", "end", "step", "one", "ones") else np.int64
        graph.initializer.append(numpy_helper.from_array(np.array(number, kind), name))
    graph.initializer.append(numpy_helper.from_array(np.float32(0)[()].reshape(()), "nothing"))
    graph.node.extend(added)
    graph.node.extend(
        [
            helper.make_node("ReduceMax", ["bomb"], ["peak"], keepdims=0),
            helper.make_node("Mul", ["peak", "nothing"], ["zero"]),
            helper.make_node("Add", ["plain", "zero"], [out]),
        ]
    )
    onnx.save(model, path)


@pytest.fixture
def peak_mb() -> Callable[[], float]:
    """The most memory that this process had since the test began, beyond what it had then."""
    if sys.platform != "linux":
        return lambda: 0.0
    Path("/proc/self/clear_refs").write_text("5")

    def peak() -> float:
        return int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024

    before = peak()
    return lambda: peak() - before


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_model_is_its_bytes(shared_data: Path, name: str) -> None:
    with pytest.raises(ModelError, match="in other files, which its hash does not cover"):
        Engine.load(shared_data / f"hostile/onnx/{name}.onnx")


def test_weights_beside_the_file_are_refused(shared_data: Path) -> None:
    with pytest.raises(ModelError, match="in other files"):
        Engine.load(shared_data / "hostile/external-weights/m.onnx")


def test_the_bundled_model_keeps_nothing_elsewhere() -> None:
    assert not keeps_elsewhere(demo_model_path().read_bytes())


@pytest.mark.parametrize("name", CONTRACTS + GOLDEN)
def test_what_a_model_says_of_itself_has_limits(shared_data: Path, name: str) -> None:
    with pytest.raises(ContractError):
        Engine.load(shared_data / f"hostile/onnx/{name}.onnx")


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.stem)
def test_every_hostile_model_is_one_sentence_or_right(path: Path, peak_mb: Callable[[], float]) -> None:
    said = ""
    try:
        Engine.load(path)
    except ModelError as error:
        said = str(error)
    assert "\n" not in said
    assert bool(said) != (path.stem in RIGHT)
    assert peak_mb() < 300


@pytest.mark.parametrize("kind", BOMBS)
def test_a_graph_that_fills_the_memory_is_refused_before_it_is_loaded_here(
    tmp_path: Path, kind: str, peak_mb: Callable[[], float]
) -> None:
    with_nodes(tmp_path / f"{kind}.onnx", BOMBS[kind])
    with pytest.raises(ModelError, match=f"^{kind}.onnx needs more memory than a model of its size may take"):
        Engine.load(tmp_path / f"{kind}.onnx")
    assert peak_mb() < 300


def test_a_graph_that_takes_what_it_may_is_loaded(tmp_path: Path) -> None:
    with_nodes(tmp_path / "m.onnx", nodes("ConstantOfShape", ["small"]))
    assert Engine.load(tmp_path / "m.onnx").self_test.passed


def test_a_model_that_ends_the_process_that_tries_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "_ENTRY", "import sys; sys.stdin.buffer.readline(); import os; os.abort()")
    trial._idle.clear()
    threshold_model(tmp_path / "m.onnx", patch=(64, 64), name="crash")
    with pytest.raises(ModelError, match="It crashes what runs models"):
        Engine.load(tmp_path / "m.onnx")


def test_a_process_that_ended_while_it_waited_says_nothing_of_the_next_model(tmp_path: Path) -> None:
    for name in ("first", "second"):
        threshold_model(tmp_path / f"{name}.onnx", patch=(64, 64), name=name)
    Engine.load(tmp_path / "first.onnx")
    (waiting,) = trial._idle
    waiting._process.kill()
    waiting._process.wait()
    assert Engine.load(tmp_path / "second.onnx").self_test.passed


def test_a_model_without_answers_is_one_sentence(tmp_path: Path) -> None:
    threshold_model(tmp_path / "m.onnx", patch=(64, 64))
    model = onnx.load(tmp_path / "m.onnx")
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "any"  # so that it is not run while it is tried
    del model.graph.output[:]
    onnx.save(model, tmp_path / "m.onnx")
    with pytest.raises(ContractError, match="gives no answer"):
        Engine.load(tmp_path / "m.onnx")


def test_a_model_that_nobody_waits_for_is_given_up_at_once(tmp_path: Path) -> None:
    refused: list[str] = []
    body = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["on_too"]), helper.make_node("Add", ["sum", "one"], ["more"])],
        "body",
        [value("turn", TensorProto.INT64, []), value("on", TensorProto.BOOL, []), value("sum", TensorProto.FLOAT, [])],
        [value("on_too", TensorProto.BOOL, []), value("more", TensorProto.FLOAT, [])],
    )
    with_nodes(tmp_path / "endless.onnx", [helper.make_node("Loop", ["", "yes", "one"], ["bomb"], body=body)])

    def load() -> None:
        with pytest.raises(ModelError) as error:
            Engine.load(tmp_path / "endless.onnx")
        refused.append(str(error.value))

    loading = threading.Thread(target=load)
    loading.start()
    begun = monotonic()
    while loading.is_alive():  # a step ends and the next one begins: each is given up
        give_up_all()
        loading.join(0.02)
        assert monotonic() - begun < TRIAL_S - 1
    assert "does not run on this computer" in refused[0]
