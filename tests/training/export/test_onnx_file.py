"""The written .onnx: nothing in it of the computer on which it was made."""

import sys

import numpy as np
import onnxruntime as ort

from inference.assets import demo_model_path
from training.export.network import to_onnx
from training.export.onnx_file import write_onnx
from training.nnunet.results.checkpoint import read_trained


def test_an_export_tells_nothing_of_the_computer_that_made_it_and_computes_the_same(model_folder, tmp_path):
    model = to_onnx(read_trained(model_folder(), [0]))
    told = model.SerializeToString()
    assert b"stack_trace" in told, "PyTorch's exporter notes none any more: nothing is proved"
    write_onnx(model, tmp_path / "model.onnx")
    written = (tmp_path / "model.onnx").read_bytes()
    for trace in (sys.prefix, sys.base_prefix, str(tmp_path), "site-packages", "stack_trace", 'File \\"', ".py"):
        assert trace.encode() not in written, trace
    before, after = (ort.InferenceSession(one, providers=["CPUExecutionProvider"]) for one in (told, written))
    image = np.random.default_rng(0).normal(size=before.get_inputs()[0].shape).astype(np.float32)
    np.testing.assert_array_equal(before.run(None, {"image": image})[0], after.run(None, {"image": image})[0])


def test_the_bundled_model_tells_nothing_of_the_computer_that_made_it():
    bundled = demo_model_path().read_bytes()
    for trace in ("site-packages", "stack_trace", 'File "', "/lib/python"):
        assert trace.encode() not in bundled, trace
