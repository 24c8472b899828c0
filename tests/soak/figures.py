"""Figures of one run: printed, kept as JSON in work/soak, and judged against their limits."""

import json
import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "work" / "soak"


@dataclass
class Figures:
    """What one run measured.

    Attributes:
        name: of the run; its JSON is called so.
        on: what it was measured on.
        patience: by which limits on time are stretched on a machine that does other things too.
    """

    name: str
    on: str
    patience: float = 1.0
    values: dict[str, float | str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str = "", *, most: float | None = None) -> None:
        """Note a figure, and its violation where it is more than `most`; a limit on time has patience."""
        if most is not None and unit in {"ms", "s", "%"}:
            most *= self.patience
        limit = "" if most is None else f"   at most {most:g}"
        broken = most is not None and not value <= most
        self.values[f"{name} [{unit}]" if unit else name] = round(value, 3)
        sys.stdout.write(f"{name:44} {value:10.2f} {unit:12}{limit}{'   VIOLATED' if broken else ''}\n")
        sys.stdout.flush()
        if broken:
            self.violations.append(f"{name}: {value:.2f} {unit}, at most {most:g}")

    def check(self, name: str, *, holds: bool) -> None:
        """Note something that must be true."""
        self.values[name] = "yes" if holds else "NO"
        sys.stdout.write(f"{name:44} {'yes' if holds else 'NO, VIOLATED':>10}\n")
        if not holds:
            self.violations.append(f"not true: {name}")

    def end(self) -> int:
        """Write the JSON, and answer the exit status."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        kept = {"on": self.on, "machine": platform.platform(), **self.values, "violations": self.violations}
        (FOLDER / f"{self.name}.json").write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
        sys.stdout.write(f"{self.name}: {len(self.violations)} violations\n")
        return int(bool(self.violations))
