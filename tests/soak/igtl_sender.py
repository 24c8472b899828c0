"""A pyigtl server that sends the bundled clip for ever, with its scale in the matrix: `igtl_sender.py PORT`."""

import sys
from itertools import cycle
from time import monotonic, sleep

import numpy as np
import pyigtl
from senders import FPS, pictures

ROWS, COLS = 512, 640


def main() -> None:
    screens, spacing_mm = pictures(ROWS, COLS)
    matrix = np.diag([spacing_mm, spacing_mm, 1.0, 1.0])
    server = pyigtl.OpenIGTLinkServer(port=int(sys.argv[1]), local_server=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    begun = monotonic()
    for number, screen in enumerate(cycle(screens)):
        sleep(max(0.0, begun + number / FPS - monotonic()))
        if server.is_connected():
            message = pyigtl.ImageMessage(screen[None], ijk_to_world_matrix=matrix, device_name="Image")
            server.send_message(message, wait=False)


if __name__ == "__main__":
    main()
