"""Qt stands in viewer/, and every file there needs it; what needs none is the engine's, where it is shared.

A file needs Qt where it imports PySide6 or pyqtgraph, or a file of viewer/ that does, directly or through others: it
cannot be loaded without Qt. Packages' own `__init__` files hold a sentence and import nothing.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
QT = {"PySide6", "pyqtgraph"}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


FILES = {
    module_of(path): path
    for package in ("inference", "viewer", "training")
    for path in sorted((ROOT / package).rglob("*.py"))
    if path.name != "__init__.py"
}
VIEWER = [name for name in FILES if name.startswith("viewer.")]


@cache
def imported(name: str) -> frozenset[str]:
    """The modules that a file imports, at its top or later."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(FILES[name].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def imports_qt(name: str) -> bool:
    return bool(QT & {module.partition(".")[0] for module in imported(name)})


def needs_qt(name: str) -> bool:
    """Whether a file of viewer/ imports Qt, or another one that does."""
    seen, waiting = set[str](), [name]
    while waiting:
        module = waiting.pop()
        if imports_qt(module):
            return True
        seen.add(module)
        waiting += [other for other in imported(module) if other in VIEWER and other not in seen]
    return False


@pytest.mark.parametrize("name", VIEWER)
def test_every_file_of_the_window_needs_qt(name: str) -> None:
    assert needs_qt(name), f"{name} needs no Qt: it belongs to inference/"


@pytest.mark.parametrize("name", [name for name in FILES if name not in VIEWER])
def test_no_other_file_imports_qt(name: str) -> None:
    assert not imports_qt(name)
