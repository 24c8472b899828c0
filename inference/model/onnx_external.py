"""Finds out whether an .onnx refers to data outside itself, which its sha256 would not cover.

The file is protobuf (onnx.proto); all fields that can hold a tensor are followed.
"""

from inference.model.onnx_metadata import parts

DEPTH = 64
"""Deepest nesting of messages that is followed."""
_CHILDREN = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
"""For each kind of message, the fields that hold further messages."""
_EXTERNAL = 13
"""Field external_data of a tensor: where its values are stored."""
_OPERATOR = 4
"""Field op_type of a node."""
_ELSEWHERE = (b"EPContext", b"PyOp")
"""Operators that refer to another file or to code."""


def keeps_elsewhere(data: bytes) -> bool:
    """Whether a model refers to values, compiled networks or code outside its own bytes.

    Args:
        data: bytes of the .onnx; whatever is not protobuf refers to nothing.
    """
    waiting = [("model", data, 0)]
    while waiting:
        kind, message, depth = waiting.pop()
        for field, where in parts(message):
            if kind == "tensor" and field == _EXTERNAL:
                return True
            if kind == "node" and field == _OPERATOR and message[where] in _ELSEWHERE:
                return True
            child = _CHILDREN[kind].get(field)
            if child is not None and depth >= DEPTH:
                return True  # no real model is nested so deeply
            if child is not None:
                waiting.append((child, message[where], depth + 1))
    return False
