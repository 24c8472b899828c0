"""Where answers are sent."""

import argparse

import pytest

from inference.live.address import host_and_port


def test_an_address_to_send_to_is_loopback_unless_it_says_otherwise() -> None:
    assert host_and_port("18944") == ("127.0.0.1", 18944)
    assert host_and_port("192.0.2.7:18945") == ("192.0.2.7", 18945)
    with pytest.raises(argparse.ArgumentTypeError, match="is not"):
        host_and_port("nowhere")
