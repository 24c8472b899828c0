"""Stands for modules that libraries import and nothing here calls: PyInstaller runs this before each program.

pyqtgraph imports QtOpenGL for painting by OpenGL, which is off; highdicom imports Pillow for named colours, colour
profiles and palettes, which no ultrasound has. With all that they load these are 19 MB, and readers of pictures less.
"""

import sys
from types import ModuleType


class Absent(ModuleType):
    """A module whose names can be mentioned, as in annotations, and not used."""

    def __getattr__(self, name: str) -> type:
        """A class by that name which cannot be made; no such attribute where it is Python's own."""
        if name.startswith("__"):
            raise AttributeError(name)
        message = f"{self.__name__}.{name} is not in this program."

        def refuse(*_: object, **__: object) -> None:
            raise ImportError(message)

        return type(name, (), {"__new__": refuse})


pillow = sys.modules["PIL"] = ModuleType("PIL")
pillow.__path__ = []  # a package, of which `from PIL import anything else` is an ImportError
for name in ("PySide6.QtOpenGL", "PySide6.QtOpenGLWidgets", "PIL.Image", "PIL.ImageCms", "PIL.ImageColor"):
    sys.modules[name] = Absent(name)
    if name.startswith("PIL."):
        setattr(pillow, name.removeprefix("PIL."), sys.modules[name])
