"""What the bundle's `ius-segment` runs."""

import sys

from inference.cli import main

sys.exit(main())
