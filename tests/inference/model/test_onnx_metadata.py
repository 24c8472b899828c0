"""The contract read without the network: what ONNX Runtime reads, and nothing of what is no model."""

import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny import threshold_model

from inference.assets import demo_model_path
from inference.contract import CONTRACT_KEY
from inference.model.onnx_metadata import metadata_in

FAST = settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("metadata") / "model.onnx"
    threshold_model(path, name="größer")
    return path


@pytest.mark.parametrize("which", ["threshold", "bundled"])
def test_it_is_what_onnx_runtime_reads(model, which):
    path = model if which == "threshold" else demo_model_path()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert metadata_in(path.read_bytes()) == session.get_modelmeta().custom_metadata_map
    assert CONTRACT_KEY in metadata_in(path.read_bytes())


@FAST
@given(data=st.binary(max_size=200))
def test_any_bytes_are_no_more_than_a_file_without_a_contract(tmp_path, data):
    path = tmp_path / "bytes.onnx"
    path.write_bytes(data)
    assert CONTRACT_KEY not in metadata_in(path.read_bytes())


@FAST
@given(length=st.floats(0, 1, exclude_max=True))
def test_a_half_copied_file_is_read_up_to_its_end(model, tmp_path, length):
    whole = model.read_bytes()
    path = tmp_path / "half.onnx"
    path.write_bytes(whole[: int(length * len(whole))])
    full, found = metadata_in(model.read_bytes()), metadata_in(path.read_bytes())
    cut = {key: value.removesuffix("\ufffd") for key, value in found.items()}  # a letter of several bytes, cut in two
    assert all(full[key].startswith(value) for key, value in cut.items() if key in full)


@pytest.mark.parametrize(
    "data", [b"", b"\x72\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x72" + b"\xff" * 99, b"\x0a\x05abc"]
)
def test_sizes_beyond_the_file_are_its_end(tmp_path, data):
    path = tmp_path / "sizes.onnx"
    path.write_bytes(data)
    assert CONTRACT_KEY not in metadata_in(path.read_bytes())
