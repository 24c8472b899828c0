"""A window on a real session: real sources, real streams; the model is a threshold, written down here."""

import gc
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from legible import cut_off, faint, pixels_of
from numpy.typing import NDArray
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from inference import contract as c
from inference.contract import ModelContract
from inference.frame import Frame
from inference.reading import Analysis, NotAnalysed, NothingFound, Outcome, Tumour, UnknownSpacing
from inference.segmentation import band_of, regions_of
from inference.sources.base import RecordedSource, SourceInfo
from inference.sources.simulated import PhantomSource
from viewer.main_window import MainWindow
from viewer.opened import Model, Refusal, SourceRequest
from viewer.session import Session
from viewer.settings import Settings

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
SCREENSHOTS = "IUS_SCREENSHOTS"
THRESHOLD = 110
"""Between the phantom's tissue (70) and tumour (150)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who wants pictures runs what takes pictures, and nothing else."""
    if SCREENSHOTS in os.environ:
        items[:] = [item for item in items if "shoot" in getattr(item, "fixturenames", ())]


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path) -> None:
    """Settings of this test alone."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "settings"))


@pytest.fixture
def no_leaks(qapp: QApplication) -> Iterator[None]:
    """No test leaves a window or a thread behind: the next one would pay for it."""
    before = {id(widget) for widget in QApplication.topLevelWidgets()}
    yield
    qapp.processEvents()
    gc.collect()
    left = [w for w in QApplication.topLevelWidgets() if id(w) not in before and w.isVisible()]
    assert not left, left
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("ius-")]


def score(band: tuple[float, float | None], dice: float | None) -> c.BandScore:
    return c.BandScore(
        band=band, n_slices=120, n_patients=6, dice_mean=dice, dice_sd=0.14, dice_median=dice, area_error_mean=None
    )


@pytest.fixture
def measured() -> c.Measured:
    bands = (score((0, 35), 0.11), score((35, 200), 0.42), score((200, None), 0.78))
    return c.Measured(
        data="sealed cohort B",
        simulated=True,
        n_patients=6,
        n_slices=360,
        by_predicted_area=bands,
        by_true_area=bands,
        miss_rate=0.12,
        positive_rate=0.88,
        specificity=0.83,
        specificity_35mm2=0.9,
    )


@pytest.fixture
def contract(measured: c.Measured) -> ModelContract:
    """A contract of a model trained on simulation, with measured figures on simulation."""
    return ModelContract(
        schema=c.SCHEMA,
        identity=c.Identity(
            name="threshold", version="1", created="2025-01-01", licence="Apache-2.0", intended_use=c.INTENDED_USE
        ),
        input=c.Input(
            channels=("iUS",),
            patch=(256, 256),
            divisor=(32, 32),
            transposed=False,
            spacing_mm=(0.3, 0.3),
            normalisation="z_score",
            mask_normalisation=False,
            crop_to_nonzero=True,
            resampling_order=3,
            logit_resampling_order=1,
            tile_step=0.5,
            seen=c.Seen(spacing_mm=(0.1, 0.5), rows=(200, 800), cols=(200, 800), intensity=(0.0, 255.0)),
        ),
        population=c.Population(
            words="Simulated patients with one supratentorial glioma, before dura opening.",
            phases=("before_dura_opening",),
            surgery=("first",),
            tumour_types=("glioma",),
            grades=("2", "3", "4"),
            sites=("simulated",),
            scanners=("simulated",),
            views=("native", "slice"),
            n_patients=40,
            simulated=True,
        ),
        output=c.Output(
            labels={"background": 0, "tumour": 1},
            tumour_index=1,
            activation="softmax",
            threshold=0.5,
            folds=1,
            mirror_axes=(),
            keep_largest=False,
        ),
        reliability=c.Reliability(min_reliable_area_mm2=200, very_small_area_mm2=35, fast=measured, thorough=None),
        provenance=c.Provenance(
            nnunetv2="2.8.1",
            trainer="nnUNetTrainer",
            plans_sha256="0" * 64,
            checkpoint_sha256=("0" * 64,),
            datasets=("simulated",),
            area_cutoff_mm2=None,
            label_origin="simulated",
            seed=1,
            exporter="1",
            precision="float32",
        ),
        parity=(),
        reduction=None,
        self_test=c.SelfTest(mismatched_per_million=100, golden_sha256="0" * 64),
    )


@pytest.fixture
def clinical(contract: ModelContract, measured: c.Measured) -> ModelContract:
    """The same model, had it been trained and measured on patients, on slices of volumes."""
    population = msgspec.structs.replace(contract.population, simulated=False, views=("slice",))
    reliability = msgspec.structs.replace(
        contract.reliability, fast=msgspec.structs.replace(measured, simulated=False, data="clinic A")
    )
    return msgspec.structs.replace(contract, population=population, reliability=reliability)


Analyse = Callable[[Frame], Outcome]


def segment(frame: Frame, contract: ModelContract, *, without_scale: bool = False, band: bool = False) -> Outcome:
    """The threshold as a segmenter: what is brighter than `THRESHOLD` is tumour."""
    if frame.spacing is None and not without_scale:
        return UnknownSpacing(frame, frame.no_spacing_reason or "The source does not say how large a pixel is.")
    simulated_only = contract.population.simulated and not frame.origin.simulated
    analysis = Analysis(contract.identity.name, "0" * 64, "CPU", 16.0, 14.0, simulated_only)
    margin = cv2.GaussianBlur(frame.pixels, (0, 0), 2.5).astype(np.float32) - THRESHOLD
    mask = (margin > 0).astype(np.uint8)
    regions = regions_of(mask, margin, frame, contract.reliability)
    lines = band_of(margin / 40, 0.5) if band else None
    return Tumour(frame, analysis, mask, regions, lines) if regions else NothingFound(frame, analysis)


@pytest.fixture
def model(contract: ModelContract) -> Model:
    return model_with(contract)


def model_with(contract: ModelContract, analyse: Analyse | None = None) -> Model:
    wanted = [False]

    def banded(frame: Frame) -> Outcome:
        return segment(frame, contract, band=wanted[0])

    return Model(
        path=Path("threshold.onnx"),
        contract=contract,
        sha256="0" * 64,
        provider="CPU",
        fallbacks=(),
        self_test="passed: 2 cases, 0 of a million pixels differ",
        warm_up_ms=16.0,
        analyse=analyse or banded,
        analyse_without_scale=lambda frame: segment(frame, contract, without_scale=True),
        want_band=lambda on: wanted.__setitem__(0, on),
    )


@pytest.fixture
def make_model() -> Callable[..., Model]:
    return model_with


Opened = RecordedSource | Refusal | None
Show = Callable[..., MainWindow]


@pytest.fixture
def show(no_leaks: None, qtbot: QtBot, model: Model) -> Iterator[Show]:  # noqa: ARG001
    """Opens a window on a source (the phantom by default) and waits for its first analysed frame."""
    windows: list[MainWindow] = []

    def shown(
        source: Opened = None,
        loaded: Model | Refusal | None = None,
        *,
        size: tuple[int, int] = (1280, 800),
        wait: bool = True,
        **options: object,
    ) -> MainWindow:
        opened = source if source is not None else PhantomSource(count=60)
        session = Session(lambda _: opened, lambda _: loaded or model)
        window = MainWindow(session, Settings(introduced=True), **options)  # type: ignore[arg-type]
        windows.append(window)
        window.resize(*size)
        window.show()
        window.deeds.open_source(SourceRequest("test"))
        window.deeds.open_model(None)
        if wait:
            qtbot.waitUntil(lambda: window.session.ready and window.meter.shown > 0, timeout=5000)
            assert not isinstance(window.shown, NotAnalysed)
        return window

    yield shown
    for window in windows:
        window.desk.recording.stop()
        window.close()
        window.deleteLater()


@pytest.fixture
def at(qtbot: QtBot) -> Callable[[MainWindow, int], Outcome]:
    """Brings a window to one frame, painted with whatever was computed from it, and holds it there."""

    def held(window: MainWindow, index: int) -> Outcome:
        playback = window.session.playback
        assert playback is not None
        playback.pause()
        playback.seek(index)
        qtbot.waitUntil(
            lambda: (
                window.view.canvas.picture.painted is not None
                and window.view.canvas.picture.painted.index == index
                and window.view.canvas.contour.painted is window.view.canvas.picture.painted
            ),
            timeout=5000,
        )
        assert window.shown is not None
        return window.shown

    return held


class Clinical(PhantomSource):
    """A phantom that passes for a picture of a patient."""

    @property
    def info(self) -> SourceInfo:
        info = super().info
        return replace(info, origin=replace(info.origin, simulated=False, name="case-07.dcm"))

    def read(self, index: int) -> Frame:
        return replace(super().read(index), origin=self.info.origin)


@pytest.fixture
def clinical_source() -> type[PhantomSource]:
    return Clinical


Shoot = Callable[[MainWindow, str], NDArray[np.int_]]
SMALL_SCREEN = (1366, 768)


@pytest.fixture
def shoot(tmp_path: Path, qtbot: QtBot) -> Shoot:
    """Saves the window and answers its pixels (rows, cols, RGB).

    Whatever is photographed is a state: all its text must be legible, here and on the smallest screen.
    """
    folder = Path(os.environ.get(SCREENSHOTS, str(tmp_path)))
    folder.mkdir(parents=True, exist_ok=True)

    def settle(window: MainWindow) -> None:
        """Everything up to date, and laid out: that takes several rounds of events."""
        window.pull.hurry()
        window.pull.tick()
        qtbot.wait(30)
        with suppress(qtbot.TimeoutError):  # the assertion says it better
            qtbot.waitUntil(lambda: not cut_off(window), timeout=2000)

    def shot(window: MainWindow, name: str) -> NDArray[np.int_]:
        settle(window)
        image = window.grab().toImage()
        assert image.save(str(folder / f"{name}.png"))
        pixels = pixels_of(image)
        assert cut_off(window) == []
        assert not faint(window, pixels)
        size = (window.width(), window.height())
        if size != SMALL_SCREEN and not window.isFullScreen():
            window.resize(*SMALL_SCREEN)
            settle(window)
            assert cut_off(window) == []
            window.resize(*size)
            settle(window)
        return pixels

    return shot
