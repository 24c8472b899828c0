"""Export to one .onnx file that carries its recipe and its proof."""
