"""What the bundle's `ius-viewer` runs."""

import sys

from viewer.app import main

sys.exit(main())
