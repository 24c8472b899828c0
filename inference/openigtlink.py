"""pyigtl's messages with another checksum.

Its own is crcmod's, which is built on the computer that installs it and is plain Python where that has no compiler:
97 ms for a picture of 1280×720, where this takes 0.02 (tests/benchmarks/bench_checksum.py).
"""

from fastcrc.crc64 import ecma_182 as checksum
from pyigtl import messages
from pyigtl.messages import ImageMessage, MessageBase, PolyDataMessage, StringMessage, TransformMessage

messages.CRC64 = checksum

__all__ = ["ImageMessage", "MessageBase", "PolyDataMessage", "StringMessage", "TransformMessage", "checksum"]
