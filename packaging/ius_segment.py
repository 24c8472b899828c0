"""What the bundle's `ius-segment` runs: the command, or the decoding process that it starts."""

import sys

from inference.sources.worker import FROZEN

if sys.argv[1:2] == [FROZEN]:
    from inference.sources.worker_process import serve

    serve(sys.argv[1:])
else:
    from inference.cli import main

    sys.exit(main())
