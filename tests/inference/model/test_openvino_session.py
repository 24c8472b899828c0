"""bfloat16 by OpenVINO: only for files that say so, only where the processor has it, else float32 in plain words."""

import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from processor import NATIVE, native
from tiny import threshold_model

from inference.errors import AnalysisError, ModelError, SelfTestError
from inference.model.engine import Engine
from inference.model.golden import GoldenCase
from inference.model.providers import OPENVINO
from inference.model.session import open_session

HERE, CPU = ["OpenVINO"], ["CPUExecutionProvider"]
BFLOAT16 = "OpenVINO CPU bfloat16"
LOAD = """
import json, sys
from pathlib import Path
from inference.model.engine import Engine
engine = Engine.load(Path(sys.argv[1]))
names = [name for name in sys.modules if "openvino" in name]
print(json.dumps([engine.provider, engine.fallbacks, engine.self_test.passed, names]))
"""


@pytest.fixture
def model(tmp_path):
    """Writes a threshold model that says bfloat16."""

    def make(**given):
        settings = {"precision": "bfloat16", "patch": (64, 96), **given}
        threshold_model(tmp_path / "model.onnx", **settings)
        return tmp_path / "model.onnx"

    return make


def loaded(path, before="", **environment):
    """(provider, fallbacks, self-test, modules) of a fresh process that loads a model."""
    command = [sys.executable, "-c", before + LOAD, str(path)]
    said = subprocess.run(command, env=os.environ | environment, capture_output=True, check=True, text=True)
    assert said.stderr == ""
    return json.loads(said.stdout)


def through_a_convolution(path):
    """The same network behind a convolution that changes nothing but the bits of its planes."""
    network = onnx.load(path)
    network.graph.initializer.append(numpy_helper.from_array(np.ones((1, 1, 1, 1), np.float32), "one"))
    for node in network.graph.node:
        node.input[:] = ["rounded" if name == "image" else name for name in node.input]
    network.graph.node.insert(0, helper.make_node("Conv", ["image", "one"], ["rounded"]))
    onnx.save(network, path)
    return path


def about_openvino(fallbacks):
    """The sentences of fallbacks that are not about GPUs."""
    return [sentence for sentence in fallbacks if "OpenVINO" in sentence]


def test_a_bfloat16_file_runs_in_bfloat16_or_says_why_not(model, capfd):
    engine = Engine.load(model())
    sentences = about_openvino(engine.fallbacks)
    if NATIVE:
        assert (engine.provider, sentences) == (BFLOAT16, [])
    else:
        assert engine.provider == "CPU"
        assert "this processor has no bfloat16" in sentences[0]
    assert engine.self_test.passed
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("instructions", ["AVX512_CORE_VNNI", "AVX2"])
def test_a_processor_without_bfloat16_never_emulates_it(model, instructions):
    """OpenVINO would: with AVX-512 alone it names bfloat16 among its abilities and says that it took the hint."""
    provider, fallbacks, passed, _ = loaded(model(), ONEDNN_MAX_CPU_ISA=instructions)
    assert (provider, passed) == ("CPU", True)
    (sentence,) = about_openvino(fallbacks)
    assert sentence.startswith("OpenVINO not taken: this processor has no bfloat16 (Intel AVX")


def test_without_openvino_the_file_runs_in_float32_and_says_what_to_install(model):
    provider, fallbacks, passed, _ = loaded(model(), "import sys; sys.modules['openvino'] = None\n")
    assert (provider, passed) == ("CPU", True)
    (sentence,) = about_openvino(fallbacks)
    assert "not installed" in sentence
    assert "pip install 'openvino>=" in sentence


def test_a_float32_file_never_touches_openvino(model):
    provider, fallbacks, _, names = loaded(model(precision="float32"))
    assert provider != BFLOAT16
    assert about_openvino(fallbacks) == names == []


def test_openvino_is_not_taken_for_a_float32_file_even_if_asked(model):
    path = model(precision="float32")
    with pytest.raises(ModelError, match="it runs files exported as bfloat16, and this one is float32"):
        Engine.load(path, providers=HERE)
    engine = Engine.load(path, providers=HERE + CPU)
    assert engine.provider == "CPU"
    assert len(about_openvino(engine.fallbacks)) == 1


def test_the_cpu_in_float32_can_be_asked_for(model):
    engine = Engine.load(model(), providers=CPU)
    assert (engine.provider, engine.fallbacks) == ("CPU", ())


@native
@pytest.mark.parametrize("threads", [1, 2])
def test_it_takes_the_threads_it_is_given(model, threads):
    engine = Engine.load(model(), providers=HERE, threads=threads)
    compiled = engine._session._request.get_compiled_model()
    assert compiled.get_property("INFERENCE_NUM_THREADS") == threads


@native
def test_its_threads_rest_when_it_does(model):
    engine = Engine.load(model(), providers=HERE, threads=2)
    engine.run(np.zeros((1, 1, 64, 96), np.float32))
    before = time.process_time()
    time.sleep(1)
    assert time.process_time() - before < 0.5


@native
@pytest.mark.parametrize("provider", [CPU[0], pytest.param(OPENVINO, marks=native)])
def test_a_network_that_was_opened_does_not_change_with_its_file(tmp_path, provider):
    path = tmp_path / "model.onnx"
    shutil.copyfile(Path(__file__).parents[3] / "assets/models/demo.onnx", path)
    session = open_session(path, provider, 2, [])
    tile = np.random.default_rng(0).normal(size=(1, 1, 256, 256)).astype(np.float32)
    before = session.run(None, {"image": tile})[0].copy()
    with path.open("r+b") as stream:
        stream.write(bytes(path.stat().st_size))
    assert np.array_equal(session.run(None, {"image": tile})[0], before)


@pytest.mark.parametrize("provider", [CPU[0], pytest.param(OPENVINO, marks=native)])
def test_an_answer_is_not_changed_by_the_next_one(model, provider):
    engine = Engine.load(model(unit="z", level=0.5), providers=[provider])
    tile = np.random.default_rng(0).standard_normal((1, 1, 64, 96)).astype(np.float32)
    (first,) = engine._session.run(["logits"], {"image": tile})
    kept = first.copy()
    engine._session.run(None, {"image": tile + 1})
    np.testing.assert_array_equal(first, kept)


@native
def test_one_bad_tile_is_one_sentence_and_does_not_spoil_the_next(model):
    engine = Engine.load(model(), providers=HERE)
    tile = np.random.default_rng(0).standard_normal((1, 1, 64, 96)).astype(np.float32)
    good = engine.run(tile)
    with pytest.raises(AnalysisError, match="failed on OpenVINO CPU bfloat16: The input tensor size") as failure:
        engine.run(np.zeros((1, 1, 3, 3), np.float32))
    assert "\n" not in str(failure.value)
    with pytest.raises(AnalysisError, match="not a number"):
        engine.run(np.full_like(tile, np.nan))
    np.testing.assert_array_equal(engine.run(tile), good)


@native
def test_a_network_that_answers_nonsense_is_refused(model):
    with pytest.raises(ModelError, match="failed on its first frame"):
        Engine.load(model(unit="z", level=math.nan), providers=HERE)


@native
def test_where_bfloat16_cannot_tell_what_float32_can_the_golden_masks_decide(model):
    """Two greys that are one in bfloat16: the file runs in float32, and says so."""
    pixels = np.ones((40, 60), np.uint16)
    pixels[:, 20:40], pixels[:, 40:] = 60000, 60050
    z = (pixels - pixels.mean()) / pixels.std()
    case = GoldenCase(pixels, (0.33, 0.33), (pixels == 60050).astype(np.uint8))
    path = through_a_convolution(model(unit="z", level=float(z[0, 20] + z[0, 40]) / 2, golden=(case,)))
    engine = Engine.load(path, providers=HERE + CPU)
    assert engine.provider == "CPU"
    (sentence,) = engine.fallbacks
    assert sentence.startswith("OpenVINO CPU bfloat16 failed the self-test: ")
    with pytest.raises(SelfTestError):
        Engine.load(path, providers=HERE)


@native
def test_nothing_is_sent_and_nothing_is_left_at_home(model, tmp_path):
    """OpenVINO's own import sends an event to Google Analytics, and keeps an identity in ~/intel."""
    watch = """
import sys
def deny(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname"):
        raise SystemExit(f"{event} {arguments}")
sys.addaudithook(deny)
"""
    home = tmp_path / "home"
    home.mkdir()
    outside = dict.fromkeys(("CI", "TF_BUILD", "JENKINS_URL"), "")
    provider, _, _, names = loaded(model(), watch, HOME=str(home), **outside)
    assert provider == BFLOAT16
    assert "openvino" in names
    assert not (home / "intel").exists()
    assert not [name for name in names if name.startswith("openvino_telemetry.")]
