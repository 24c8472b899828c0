"""pyigtl's messages carry the checksum that OpenIGTLink asks for, from a library that is fast without a compiler."""

import struct

import crcmod
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inference.openigtlink import ImageMessage, checksum


@given(st.binary(max_size=300))
def test_the_checksum_is_that_of_ecma_182(data):
    assert checksum(data) == crcmod.mkCrcFun(0x142F0E1EBA9EA3693, initCrc=0, rev=False, xorOut=0)(data)


def test_a_packed_message_states_the_checksum_of_its_body():
    packed = ImageMessage(np.arange(12, dtype=np.uint8).reshape(1, 3, 4), device_name="Image").pack()
    (stated,) = struct.unpack(">Q", packed[50:58])
    assert stated == checksum(packed[58:])
