"""Whether an .onnx keeps part of itself elsewhere: a model is its bytes, and its sha256 vouches for nothing beside it.

The file is protobuf (onnx.proto). Followed are the fields in which a tensor can stand.
"""

from inference.model.onnx_metadata import parts

DEPTH = 64
"""Graphs within graphs at most."""
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
"""Of each message, the fields that hold another one to be followed."""
_EXTERNAL = 13
"""A tensor's field external_data: where its values are."""
_OPERATOR = 4
"""A node's field op_type."""
_ELSEWHERE = (b"EPContext", b"PyOp")
"""Operators that name a file or code of their own."""


def keeps_elsewhere(data: bytes) -> bool:
    """Whether a model names values, compiled networks or code outside its own bytes.

    Args:
        data: the .onnx; what is no protobuf names nothing.
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
                return True  # nobody nests so deeply but to hide something
            if child is not None:
                waiting.append((child, message[where], depth + 1))
    return False
