"""The window is drawn where nobody looks."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
