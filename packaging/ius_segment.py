"""What the bundle's `ius-segment` runs: the command, or one of the processes that it starts."""

import sys

from inference.model import trial
from inference.sources import worker

if sys.argv[1:2] == [worker.FROZEN]:
    from inference.sources.worker_process import serve

    serve(sys.argv[1:])
elif sys.argv[1:2] == [trial.FROZEN]:
    from inference.model.trial_process import serve as try_models

    try_models()
else:
    from inference.cli import main

    sys.exit(main())
