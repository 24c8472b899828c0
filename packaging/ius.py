"""What the bundle's programs run: the command that the program is named after, or one of the processes it starts."""

import sys
from pathlib import Path

from inference.model import trial
from inference.sources import worker

if sys.argv[1:2] == [worker.FROZEN]:
    from inference.sources.worker_process import serve

    serve(sys.argv[1:])
elif sys.argv[1:2] == [trial.FROZEN]:
    from inference.model.trial_process import serve as try_models

    try_models()
elif Path(sys.argv[0]).stem.lower() == "ius-segment":
    from inference.cli import main

    sys.exit(main())
else:
    from viewer.app import main

    sys.exit(main())
