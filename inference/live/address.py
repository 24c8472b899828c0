"""Parses the address for outgoing answers, as typed on a command line."""

import argparse


def host_and_port(text: str) -> tuple[str, int]:
    """Read `[HOST:]PORT`; without a host, only this computer can connect.

    Raises:
        argparse.ArgumentTypeError: for anything else.
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not [HOST:]PORT, as in 18944")
    return host or "127.0.0.1", int(port)
