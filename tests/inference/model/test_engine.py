"""Loading a model, the self-test, refusals in one sentence, and areas of known shapes through it."""

import ctypes
import math
import os
import re
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException
from tiny import threshold_model

from inference.contract import CONTRACT_KEY
from inference.errors import AnalysisError, ContractError, ModelError, SelfTestError
from inference.model.engine import Engine
from inference.model.golden import GoldenCase
from inference.model.onnxruntime_session import (
    ASSIGNED,
    RUN_ERRORS,
    TimedSession,
    engine_cache,
    onnxruntime_session,
    operations_on,
    options,
)
from inference.model.placement import Placement
from inference.model.providers import GPU, card_unused, first_line
from inference.model.session import open_session

CPU = ["CPUExecutionProvider"]
GREY, BRIGHT = 60, 180


@pytest.fixture
def model(tmp_path):
    """Writes a threshold model and loads it on the CPU."""

    def make(**settings):
        threshold_model(tmp_path / "model.onnx", **settings)
        return Engine.load(tmp_path / "model.onnx", providers=CPU)

    return make


def ellipse(shape, centre, half_axes, angle):
    """Pixels whose centre lies in an ellipse; lengths in pixels along each axis, angle in the picture."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    y, x = rows - centre[0], cols - centre[1]
    u, v = x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle)
    inside = (u / half_axes[0]) ** 2 + (v / half_axes[1]) ** 2 <= 1
    return np.where(inside, BRIGHT, GREY).astype(np.uint8)


def test_a_model_says_what_it_is(model):
    engine = model(name="probe", patch=(64, 96))
    assert engine.contract.identity.name == "probe"
    assert engine.provider == "CPU"
    assert engine.self_test.passed
    assert engine.self_test.cases == 2
    assert engine.warm_up_ms > 0
    assert len(engine.sha256) == 64


def test_loading_prints_nothing(tmp_path, capfd):
    threshold_model(tmp_path / "model.onnx")
    engine = Engine.load(tmp_path / "model.onnx")
    gpu = {"TensorrtExecutionProvider": "TensorRT", "CUDAExecutionProvider": "CUDA"}
    listed = [words for name, words in gpu.items() if name in onnxruntime.get_available_providers()]
    assert len(engine.fallbacks) == [*listed, "CPU"].index(engine.provider)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "half_mm"),
    [
        ((512, 512), (0.2, 0.2), (11.0, 7.0)),
        ((300, 420), (0.3, 0.3), (12.0, 6.0)),
        ((400, 280), (0.15, 0.3), (10.0, 7.0)),
    ],
)
def test_areas_are_right_to_one_percent(model, shape, spacing_mm, half_mm):
    engine = model()
    row_mm, col_mm = spacing_mm
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(20):
        centre = (shape[0] / 2 + rng.uniform(-1, 1), shape[1] / 2 + rng.uniform(-1, 1))
        angle = 0.0 if row_mm != col_mm else rng.uniform(0, np.pi)
        pixels = ellipse(shape, centre, (half_mm[0] / col_mm, half_mm[1] / row_mm), angle)
        area = np.count_nonzero(engine.segment(pixels, spacing_mm).margin.whole() > 0) * row_mm * col_mm
        errors.append(area / (math.pi * half_mm[0] * half_mm[1]) - 1)
    assert max(map(abs, errors)) < 0.01
    assert abs(np.mean(errors)) < 0.003


def test_each_pass_is_told_before_it_starts(model):
    engine, started = model(), []
    engine.starts = lambda: started.append(len(started))
    engine.segment(ellipse((150, 200), (75, 100), (30, 20), 0.4), (0.3, 0.3))
    assert len(started) == 1


def test_tiles_and_one_pass_of_a_pointwise_network_agree(model):
    pixels = np.random.default_rng(0).integers(1, 255, (120, 150)).astype(np.uint8)
    whole = model(unit="z", level=0.7, patch=(256, 256)).segment(pixels, (0.5, 0.4))
    tiled = model(unit="z", level=0.7, patch=(64, 80)).segment(pixels, (0.5, 0.4))
    off = np.abs(tiled.margin.whole() - whole.margin.whole())
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):  # whose weights float16 holds with a few bits
        assert off[corner] <= 5e-2
        off[corner] = 0
    assert off.max() <= 1e-2
    assert tiled.network_ms > 0


@pytest.mark.parametrize("mask_normalisation", [False, True])
def test_a_transposed_model_gives_the_same_mask(model, mask_normalisation):
    pixels = ellipse((90, 160), (40, 70), (30, 18), 0.4)
    pixels[:20, :50] = 0
    spacing = (0.5, 0.3)
    straight = model(spacing_mm=(0.4, 0.6), mask_normalisation=mask_normalisation)
    expected = straight.segment(pixels, spacing).margin.whole() > 0
    turned = model(spacing_mm=(0.6, 0.4), transposed=True, mask_normalisation=mask_normalisation)
    mask = turned.segment(pixels, spacing).margin.whole() > 0
    assert expected.any()
    assert np.count_nonzero(mask != expected) <= 2


def test_without_a_scale_there_is_still_a_mask(model):
    pixels = ellipse((300, 400), (150, 200), (60, 40), 0.3)
    mask = model().segment(pixels, None).margin.whole() > 0
    assert np.count_nonzero(mask) == pytest.approx(np.count_nonzero(pixels == BRIGHT), rel=0.02)


def test_one_bad_frame_does_not_spoil_the_next(model):
    engine = model()
    pixels = ellipse((90, 120), (45, 60), (20, 12), 0).astype(np.float32)
    good = engine.segment(pixels, (0.4, 0.4)).margin.whole()
    with pytest.raises(AnalysisError):
        engine.segment(np.full((90, 120), np.nan, np.float32), (0.4, 0.4))
    with pytest.raises(AnalysisError, match="failed on CPU"):
        engine.run(np.zeros((1, 1, 3, 3), np.float32))
    np.testing.assert_array_equal(engine.segment(pixels, (0.4, 0.4)).margin.whole(), good)


def test_a_model_that_does_not_reproduce_its_masks_is_refused(model):
    pixels = ellipse((60, 80), (30, 40), (15, 10), 0)
    wrong = GoldenCase(pixels, (0.4, 0.4), (pixels == GREY).astype(np.uint8))
    with pytest.raises(SelfTestError, match="does not reproduce its own masks"):
        model(golden=(wrong,))


def test_golden_cases_without_tumour_prove_nothing_and_are_refused(model):
    """A network that finds nothing anywhere reproduces them to the pixel."""
    nothing = GoldenCase(np.full((60, 80), GREY, np.uint8), (0.4, 0.4), np.zeros((60, 80), np.uint8))
    with pytest.raises(ContractError, match="hold no tumour, so that they prove nothing: export it again"):
        model(golden=(nothing,), unit="z", level=50.0)


def test_a_small_tumour_may_not_vanish_in_a_large_picture(model):
    """Of a million pixels fewer differ than the contract allows."""
    engine, spacing = model(), (0.3, 0.3)
    pixels = ellipse((500, 500), (250, 250), (30, 10), 0.3)
    mask = engine.segment(pixels, spacing).margin.mask()
    for width, passes in ((3, True), (6, False)):
        more = mask.copy()
        more[10:15, 10 : 10 + width] = 1
        cases = (*engine._golden, GoldenCase(pixels, spacing, more))
        if passes:
            assert model(golden=cases).self_test.tissue_off == pytest.approx(15 / np.count_nonzero(more))
            continue
        with pytest.raises(SelfTestError, match=r"1\d\d of a million mask pixels differ, up to 3\.\d% of a tissue"):
            model(golden=cases)


def test_a_network_that_answers_nonsense_is_refused(model):
    with pytest.raises(ModelError, match="not a number"):
        model(unit="z", level=math.nan)


def test_missing_and_damaged_files_are_one_sentence(tmp_path):
    threshold_model(tmp_path / "model.onnx")
    whole = (tmp_path / "model.onnx").read_bytes()
    (tmp_path / "text.onnx").write_text("not a model")
    (tmp_path / "empty.onnx").write_bytes(b"")
    (tmp_path / "half.onnx").write_bytes(whole[: len(whole) // 2])
    for name in ("missing.onnx", "text.onnx", "empty.onnx", "half.onnx", "."):
        with pytest.raises(ModelError) as refusal:
            Engine.load(tmp_path / name)
        assert "\n" not in str(refusal.value)
        assert str(refusal.value).endswith(".")


def rewritten(path, change):
    model = onnx.load(path)
    change(model)
    onnx.save(model, path)
    return path


def test_a_model_without_a_contract_is_refused(tmp_path):
    threshold_model(tmp_path / "model.onnx")
    bare = rewritten(tmp_path / "model.onnx", lambda model: model.ClearField("metadata_props"))
    with pytest.raises(ContractError, match="carries no ius contract"):
        Engine.load(bare)


def test_golden_cases_of_another_model_are_refused(tmp_path):
    threshold_model(tmp_path / "model.onnx", patch=(64, 64))
    threshold_model(tmp_path / "other.onnx", patch=(64, 64), level=0.9)
    other = {entry.key: entry.value for entry in onnx.load(tmp_path / "other.onnx").metadata_props}

    def swap(model):
        for entry in model.metadata_props:
            entry.value = entry.value if entry.key == CONTRACT_KEY else other[entry.key]

    with pytest.raises(ContractError, match="not the ones its contract names"):
        Engine.load(rewritten(tmp_path / "model.onnx", swap))


def test_a_graph_that_contradicts_its_contract_is_refused(tmp_path):
    threshold_model(tmp_path / "model.onnx", patch=(64, 64))

    def shrink(model):
        for value, channels in ((model.graph.input[0], 1), (model.graph.output[0], 2)):
            value.CopyFrom(helper.make_tensor_value_info(value.name, TensorProto.FLOAT, [1, channels, 32, 64]))

    with pytest.raises(ContractError, match="shapes"):
        Engine.load(rewritten(tmp_path / "model.onnx", shrink))


def test_a_second_output_that_nobody_knows_is_refused(tmp_path):
    threshold_model(tmp_path / "model.onnx", patch=(64, 64))

    def add(model):
        model.graph.node.append(helper.make_node("Identity", [model.graph.output[0].name], ["other"]))
        model.graph.output.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1, 2, 64, 64]))

    with pytest.raises(ContractError, match="shapes"):
        Engine.load(rewritten(tmp_path / "model.onnx", add))


def test_a_provider_that_is_not_there_is_named(tmp_path):
    threshold_model(tmp_path / "model.onnx")
    with pytest.raises(ModelError, match="no ColdFusion"):
        Engine.load(tmp_path / "model.onnx", providers=["ColdFusion"])


@pytest.fixture
def no_gpu():
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return
    pytest.skip("there is an NVIDIA driver here")


@pytest.mark.usefixtures("no_gpu")
def test_a_gpu_that_is_not_there_falls_back_to_the_cpu_and_says_so(tmp_path):
    threshold_model(tmp_path / "model.onnx")
    gpu = ["TensorrtExecutionProvider", "CUDAExecutionProvider"]
    listed = [name for name in gpu if name in onnxruntime.get_available_providers()]
    engine = Engine.load(tmp_path / "model.onnx", providers=[*listed, *CPU])
    assert engine.provider == "CPU"
    assert len(engine.fallbacks) == len(listed)
    assert all("not tried: no NVIDIA driver" in sentence for sentence in engine.fallbacks)


def test_a_card_that_the_installation_cannot_use_is_told():
    """No silence where somebody with a graphics card installed the runtime for the CPU."""
    assert "ius[cuda]" in card_unused(CPU, card=True)
    assert card_unused(["CUDAExecutionProvider", *CPU], card=True) == ""
    assert card_unused(CPU, card=False) == ""


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("provider", ["TensorrtExecutionProvider", "CUDAExecutionProvider"])
def test_a_provider_that_does_not_load_is_a_sentence_and_no_noise(tmp_path, capfd, provider):
    if provider not in onnxruntime.get_available_providers():
        pytest.skip(f"this ONNX Runtime is built without {provider}")
    threshold_model(tmp_path / "model.onnx")
    fallbacks = []
    assert open_session(tmp_path / "model.onnx", provider, 1, fallbacks) is None
    assert len(fallbacks) == 1
    assert "does not load here" in fallbacks[0]
    assert capfd.readouterr() == ("", "")


def test_what_runs_where_is_counted_by_the_session_itself(tmp_path):
    threshold_model(tmp_path / "model.onnx")
    settings = onnxruntime.SessionOptions()
    settings.add_session_config_entry(ASSIGNED, "1")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", settings, providers=CPU)
    there, all_of_them = operations_on(session, CPU[0])
    assert there == all_of_them > 0
    assert operations_on(session, "CUDAExecutionProvider") == (0, all_of_them)


def test_a_provider_that_was_given_no_operation_is_not_taken_for_the_one_in_use(tmp_path):
    """A session names it first all the same, and the CPU computes: Azure's knows no convolution, as a card may not."""
    if "AzureExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("every provider of this ONNX Runtime needs a graphics card")
    threshold_model(tmp_path / "model.onnx")
    data = (tmp_path / "model.onnx").read_bytes()
    fallbacks = []
    assert onnxruntime_session(tmp_path / "model.onnx", data, "AzureExecutionProvider", 1, fallbacks) is None
    (said,) = fallbacks
    assert re.fullmatch(
        r"AzureExecutionProvider runs 0 of the network's [1-9]\d* operations here, the CPU the others.", said
    )


def test_what_gpu_providers_are_told(tmp_path):
    cuda = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0", "device_id": "0"}
    assert options("CUDAExecutionProvider", None) == cuda
    tensorrt = options("TensorrtExecutionProvider", tmp_path)
    assert {tensorrt["trt_engine_cache_path"], tensorrt["trt_timing_cache_path"]} == {str(tmp_path)}
    assert options("TensorrtExecutionProvider", None) == {"device_id": "0"}
    assert options("CPUExecutionProvider", tmp_path) == {}


def test_a_card_and_its_memory_are_the_user_s_choice(tmp_path):
    there = Placement(device=1, memory_mib=2048)
    cuda = options("CUDAExecutionProvider", None, there)
    assert (cuda["device_id"], cuda["gpu_mem_limit"]) == ("1", str(2 * 2**30))
    assert cuda["arena_extend_strategy"] == "kSameAsRequested"
    tensorrt = options("TensorrtExecutionProvider", tmp_path, there)
    assert (tensorrt["device_id"], tensorrt["trt_max_workspace_size"]) == ("1", str(2 * 2**30))
    for wrong in ({"device": -1}, {"memory_mib": 0}):
        with pytest.raises(ValueError, match="no place"):
            Placement(**wrong)


def test_tensorrt_keeps_engines_of_each_file_apart(tmp_path, monkeypatch):
    """It names them by the graph alone, and would run one file's with another's weights."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    threshold_model(tmp_path / "one.onnx", level=0.4)
    threshold_model(tmp_path / "other.onnx", level=0.6)
    one, other = (engine_cache((tmp_path / name).read_bytes()) for name in ("one.onnx", "other.onnx"))
    assert one != other
    assert one == engine_cache((tmp_path / "one.onnx").read_bytes())
    assert one.is_dir()


def test_no_library_of_nvidia_may_compute_in_tf32(tmp_path, monkeypatch):
    """TensorRT has no switch of its own, and the libraries read this once, when the first session loads them."""
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "1")
    threshold_model(tmp_path / "model.onnx")
    seen = []
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: seen.append(os.environ["NVIDIA_TF32_OVERRIDE"]))
    for provider in [one for one in GPU if one in onnxruntime.get_available_providers()]:
        open_session(tmp_path / "model.onnx", provider, 1, [])
        assert seen.pop() == "0"


WINDOWS = (
    r"D:\a\_work\1\s\onnxruntime\core\session\provider_bridge_ort.cc:2233 onnxruntime::TryGetProviderInfo_CUDA "
    r"[ONNXRuntimeError] : 1 : FAIL : Error loading the CUDA provider: cublasLt64_13.dll is missing."
)
LINUX = (
    "[ONNXRuntimeError] : 1 : FAIL : /onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:129 "
    "std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*) "
    "[with ERRTYPE = cudaError] CUDA failure 700: an illegal memory access was encountered"
)


@pytest.mark.parametrize("message", [WINDOWS, LINUX])
def test_where_a_runtime_was_built_never_reaches_the_screen(message):
    said = first_line(RuntimeError(message))
    assert not re.search(r"[\\/]|\.cc|onnxruntime|ONNXRuntimeError", said)
    assert "cublasLt64_13.dll is missing" in said or "CUDA failure 700: an illegal memory access" in said


class Failing:
    """A real session on the CPU that says it is CUDA's, and fails as CUDA does after `good` runs."""

    def __init__(self, path, good):
        self._session, self._good = onnxruntime.InferenceSession(path, providers=CPU), good
        for name in ("get_modelmeta", "get_inputs", "get_outputs"):
            setattr(self, name, getattr(self._session, name))

    def get_providers(self):
        return ["CUDAExecutionProvider", *CPU]

    def run(self, outputs, feed):
        self._good -= 1
        if self._good < 0:
            raise RuntimeException("CUDA failure 700: an illegal memory access was encountered")
        return self._session.run(outputs, feed)


def failing_engine(path, good, *reopened):
    """An engine that runs well for `good` frames once loaded, and then on what is reopened, in this order."""
    sessions, asked = list(reopened), []

    def reopen(provider):
        asked.append(provider)
        return sessions.pop(0)

    first = Failing(path, 10**6)
    engine = Engine(path, "", first, reopen)
    first._good = good
    return engine, asked


def test_a_card_that_fails_once_is_loaded_anew_and_the_frame_is_answered(tmp_path):
    path = tmp_path / "model.onnx"
    threshold_model(path)
    pixels = ellipse((90, 120), (45, 60), (20, 12), 0)
    expected = Engine.load(path, providers=CPU).segment(pixels, (0.4, 0.4)).margin.mask()
    engine, asked = failing_engine(path, 1, Failing(path, 10**6))
    for _ in range(3):
        np.testing.assert_array_equal(engine.segment(pixels, (0.4, 0.4)).margin.mask(), expected)
    assert engine.provider == "CUDA"
    assert asked == ["CUDAExecutionProvider"]
    assert len(engine.fallbacks) == 1
    assert "CUDA failure 700" in engine.fallbacks[0]
    assert engine.fallbacks[0].endswith("the model was loaded anew.")


@pytest.mark.parametrize("anew", ["fails again", "does not open", "fails its self-test"])
def test_a_card_that_fails_again_leaves_the_model_to_the_cpu_and_says_so(tmp_path, anew):
    path = tmp_path / "model.onnx"
    threshold_model(path)
    pixels = ellipse((90, 120), (45, 60), (20, 12), 0)
    expected = Engine.load(path, providers=CPU).segment(pixels, (0.4, 0.4)).margin.mask()
    second = {"fails again": Failing(path, 4), "does not open": None, "fails its self-test": Failing(path, 0)}[anew]
    engine, asked = failing_engine(path, 1, second, onnxruntime.InferenceSession(path, providers=CPU))
    for _ in range(6):
        np.testing.assert_array_equal(engine.segment(pixels, (0.4, 0.4)).margin.mask(), expected)
    assert engine.provider == "CPU"
    assert asked == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert engine.fallbacks[-1].endswith("the model goes on on the CPU.")


@pytest.mark.parametrize("last", ["does not open", "fails its self-test"])
def test_what_failed_its_self_test_after_a_card_failed_analyses_no_later_frame(tmp_path, last):
    """It answers, and plausibly: nothing but its golden masks tells that it is not the model that was chosen."""
    path, other = tmp_path / "model.onnx", tmp_path / "other.onnx"
    threshold_model(path)
    threshold_model(other, level=0.9)
    wrong = [onnxruntime.InferenceSession(other, providers=CPU) for _ in range(2)]
    engine, asked = failing_engine(path, 1, wrong[0], None if last == "does not open" else wrong[1])
    pixels = ellipse((90, 120), (45, 60), (20, 12), 0)
    assert engine.segment(pixels, (0.4, 0.4)).margin.mask().any()
    for _ in range(3):
        with pytest.raises(AnalysisError, match="failed on CUDA"):
            engine.segment(pixels, (0.4, 0.4))
    assert asked == ["CUDAExecutionProvider", "CPUExecutionProvider"]
    assert engine.self_test.passed, "the test that is said to be passed is that of what runs"


@pytest.mark.parametrize("factor", [1e36, np.nan])
def test_an_answer_beyond_all_numbers_is_a_failure_and_no_empty_mask(tmp_path, factor):
    """A damaged card gives such: rounding to float16 made of it what is over no threshold, so nothing was found."""
    path = tmp_path / "model.onnx"
    threshold_model(path)
    engine, pixels = Engine.load(path, providers=CPU), ellipse((90, 120), (45, 60), (20, 12), 0)
    assert engine.segment(pixels, (0.4, 0.4)).margin.mask().any()
    run = engine._session.run
    engine._session = SimpleNamespace(run=lambda *given: [run(*given)[0] * np.float32(factor)])
    with pytest.raises(AnalysisError, match="not a number"):
        engine.segment(pixels, (0.4, 0.4))


def test_what_was_loaded_anew_is_timed_only_until_it_has_proved_itself(tmp_path):
    path = tmp_path / "model.onnx"
    threshold_model(path)
    anew = TimedSession(onnxruntime.InferenceSession(path, providers=CPU))
    engine, _ = failing_engine(path, 0, None, anew)
    assert anew.left_s is not None
    engine.segment(ellipse((90, 120), (45, 60), (20, 12), 0), (0.4, 0.4))
    assert engine.provider == "CPU"
    assert anew.left_s is None


def test_many_passes_of_a_trial_may_not_take_longer_than_the_whole_of_it(tmp_path):
    path = tmp_path / "model.onnx"
    threshold_model(path)
    tried = TimedSession(onnxruntime.InferenceSession(path, providers=CPU), trial_s=0.2)
    (patch,) = (one.shape for one in tried.get_inputs())
    feed = {tried.get_inputs()[0].name: np.zeros(patch, np.float32)}
    with pytest.raises(RUN_ERRORS):
        [tried.run(None, feed) for _ in range(10_000)]  # some milliseconds each
    tried.left_s = None
    assert tried.run(None, feed), "what is trusted has all the time there is"


def test_a_frame_of_the_wrong_size_reloads_nothing(tmp_path):
    path = tmp_path / "model.onnx"
    threshold_model(path)
    engine, asked = failing_engine(path, 10**6)
    with pytest.raises(AnalysisError, match="failed on CUDA"):
        engine.run(np.zeros((1, 1, 3, 3), np.float32))
    assert asked == []
