"""One .onnx that carries its recipe and its proof."""
