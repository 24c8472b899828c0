"""Models that keep a part elsewhere, never end, or vouch for themselves: refused, with one sentence."""

import threading
from pathlib import Path
from time import monotonic

import pytest

from inference.assets import demo_model_path
from inference.errors import ContractError, ModelError
from inference.model.engine import Engine
from inference.model.onnx_external import keeps_elsewhere
from inference.model.onnxruntime_session import TRIAL_S
from inference.model.time_limit import give_up_all

ELSEWHERE = ["ext-abs", "ext-beside", "ext-devzero", "ext-dotdot", "ext-procmem", "ext-symlink", "epcontext"]
CONTRACTS = ["selftest-tolerance-1e9-wrong-golden", "tile-step-1e-6", "patch-16M", "patch-32768", "spacing-0.001",
             "spacing-1e+09", "label-neg", "tumour-index-7", "two-inputs", "second-output"]  # fmt: skip
GOLDEN = ["gold-bomb-4GB", "gold-evalhdr", "gold-lzma", "gold-masksize", "gold-spacing0", "gold-3d", "gold-complex"]


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


@pytest.mark.parametrize("name", ["loop-endless", "loop-3M"])
def test_an_endless_graph_is_given_up(shared_data: Path, name: str) -> None:
    with pytest.raises(ModelError, match="does not run on this computer"):
        Engine.load(shared_data / f"hostile/onnx/{name}.onnx")


def test_a_model_that_nobody_waits_for_is_given_up_at_once(shared_data: Path) -> None:
    refused: list[str] = []

    def load() -> None:
        with pytest.raises(ModelError) as error:
            Engine.load(shared_data / "hostile/onnx/loop-endless.onnx")
        refused.append(str(error.value))

    loading = threading.Thread(target=load)
    loading.start()
    begun = monotonic()
    while loading.is_alive():  # a step ends and the next one begins: each is given up
        give_up_all()
        loading.join(0.02)
        assert monotonic() - begun < TRIAL_S - 1
    assert "does not run on this computer" in refused[0]
