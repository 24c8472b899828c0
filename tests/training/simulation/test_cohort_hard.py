"""The hard cohort: half of its tumours isoechoic, disturbed as real volumes are, and the plain cohorts as they were."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from training.simulation.anatomy import build_anatomy
from training.simulation.artefacts import Artefacts, bent, contact_loss, draw_artefacts, face_bands, planes_apart
from training.simulation.cavity import Cavity, Content, draw_cavity
from training.simulation.cohort import Cohort, simulate_cohort
from training.simulation.look import Look
from training.simulation.parameters import CohortKind, Echogenicity, draw_scanner, draw_tumour
from training.simulation.patient import SMALL, draw_patient

SEED = 3
PLAIN = Artefacts(
    gain_db=0.0, band=1.0, echoes=2, echo_mm=2.0, gaps=(), curve=(1.0,) * 6, zigzag_mm=0.0, step=1.0, smooth=0.0
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return simulate_cohort(tmp_path_factory.mktemp("hard"), 2, SEED, cohort="hard", small=True)


def test_half_of_the_tumours_are_isoechoic() -> None:
    rng = np.random.default_rng(1)
    drawn = Counter(draw_tumour(rng, CohortKind.HARD).echogenicity for _ in range(600))
    assert drawn[Echogenicity.BLENDED] / 600 == pytest.approx(0.5, abs=0.06)
    assert set(drawn) == set(Echogenicity)


@pytest.mark.parametrize("kind", [CohortKind.TRAIN, CohortKind.SEALED, CohortKind.EVEN, CohortKind.MINI])
def test_plain_cohorts_have_neither_isoechoic_tumours_nor_artefacts(kind: CohortKind) -> None:
    rng = np.random.default_rng(1)
    for _ in range(100):
        tumour = draw_tumour(rng, kind)
        assert tumour.echogenicity is not Echogenicity.BLENDED
        assert (tumour.contrast_db, tumour.edged, draw_scanner(rng, kind).artefacts) == (None, 0.0, None)


def test_probes_are_linear_phased_and_curvilinear_and_fit_the_picture() -> None:
    rng = np.random.default_rng(2)
    probes = [draw_scanner(rng, CohortKind.HARD) for _ in range(300)]
    assert sum(probe.face_radius_mm == 400.0 for probe in probes) / 300 == pytest.approx(0.3, abs=0.09)
    assert sum(probe.face_radius_mm < 9.5 for probe in probes) / 300 == pytest.approx(0.2, abs=0.09)
    for probe in probes:
        half = (probe.face_radius_mm + probe.depth_mm) * np.sin(np.radians(probe.half_angle_deg))
        assert half <= 43.01


def test_a_volume_says_what_disturbs_it_and_holds_its_tumour(cohort: Cohort) -> None:
    for entry in cohort.patients:
        volume, truth = (nib.load(cohort.folder / entry["files"][key]) for key in ("volume", "truth"))
        data, mask = np.asarray(volume.dataobj), np.asarray(truth.dataobj) > 0
        assert mask.any()
        assert (data[mask] > 0).all()
        assert entry["scanner"]["artefacts"]["curve"]
        assert set(entry["look"]) >= {"curves", "plexuses", "sulcus_mm"}
    assert json.loads((cohort.folder / "cohort.json").read_text())["kind"] == "hard"


def test_equal_seeds_give_equal_bytes(cohort: Cohort, tmp_path: Path) -> None:
    again = simulate_cohort(tmp_path / "again", 1, SEED, cohort="hard", small=True)
    name = cohort.patients[0]["files"]["volume"]
    one, other = ((folder / name).read_bytes() for folder in (cohort.folder, again.folder))
    assert hashlib.sha256(one).digest() == hashlib.sha256(other).digest()


def test_an_isoechoic_body_is_as_bright_as_its_ring() -> None:
    near = 0
    for number in range(6):
        rng = np.random.default_rng(number)
        tumour = draw_tumour(rng, CohortKind.HARD)
        while tumour.echogenicity is not Echogenicity.BLENDED or tumour.radius_mm < 10 or tumour.cyst_fraction:
            tumour = draw_tumour(rng, CohortKind.HARD)
        anatomy = build_anatomy(rng, tumour, 30.0, 1.0, Look())
        body, level = anatomy.tissue.tumour, 10 * np.log10(anatomy.tissue.power)
        core, ring = body > 0.5 * body.max(), (body < -2.5) & (body > -6.0)
        near += abs(float(level[core].mean() - level[ring].mean())) < 3.0
    assert near >= 5


def test_a_hard_cohort_draws_and_writes_what_it_did_before_cavities_had_masks(cohort: Cohort) -> None:
    assert all(set(entry["files"]) == {"volume", "truth", "sweep", "sweep_truth"} for entry in cohort.patients)
    drawn = [[draw_cavity(np.random.default_rng(n), 10.0, share) for n in range(60)] for share in (0.15, 0.85)]
    assert [few or many for few, many in zip(*drawn, strict=True)] == drawn[1], "the same ones, and more"
    assert 0 < sum(one is not None for one in drawn[0]) < 20 < sum(one is not None for one in drawn[1])


def test_a_cavity_is_no_tumour_and_saline_echoes_least() -> None:
    levels = {}
    for content in (Content.SALINE, Content.CLOT):
        rng = np.random.default_rng(8)
        tumour = draw_tumour(rng, CohortKind.EVEN)
        whole = build_anatomy(np.random.default_rng(8), tumour, 30.0, 1.0)
        cavity = Cavity(content, 0.5 * tumour.radius_mm, 0.9, 6.0)
        cut = build_anatomy(np.random.default_rng(8), tumour, 30.0, 1.0, cavity=cavity)
        gone = (whole.tissue.tumour > 0) & (cut.tissue.tumour <= 0)
        assert gone.any()
        assert not ((cut.tissue.tumour > 0) & (whole.tissue.tumour <= 0)).any()
        levels[content] = float(np.median(cut.tissue.power[gone]))
    assert levels[Content.SALINE] < levels[Content.CLOT] / 10


def test_a_gap_takes_its_loss_where_it_is_and_nothing_elsewhere() -> None:
    gap = Artefacts(**{name: getattr(PLAIN, name) for name in PLAIN.__slots__} | {"gaps": ((0.0, 0.05, 20.0),)})
    left = contact_loss(201, gap)
    assert left[100] == pytest.approx(0.1, rel=0.01)
    assert left[0] == pytest.approx(1.0)
    assert left[200] == pytest.approx(1.0)
    assert contact_loss(201, PLAIN).min() == 1.0


def test_bands_at_the_face_come_again_weaker() -> None:
    depth = np.linspace(0.0, 12.0, 241, dtype=np.float32)
    bands = face_bands(np.random.default_rng(1), depth, 60, PLAIN).mean(axis=1)
    first, second, third = bands[0], bands[40], bands[80]
    assert first > 2 * second > 4 * third > 0
    assert bands[200] < 1e-3


def test_edges_jump_only_where_they_are_drawn_to() -> None:
    left, right, grey = planes_apart(np.random.default_rng(1), 80, PLAIN)
    assert left.max() == right.max() == 0.0
    assert grey.mean() == pytest.approx(1.0, abs=0.02)
    jumping = Artefacts(**{name: getattr(PLAIN, name) for name in PLAIN.__slots__} | {"zigzag_mm": 3.0, "step": 1.3})
    left, _, grey = planes_apart(np.random.default_rng(1), 80, jumping)
    assert left.max() > 1.0
    assert grey[-5:].mean() / grey[:5].mean() == pytest.approx(1.3, abs=0.06)


def test_a_bent_curve_still_rises() -> None:
    rng = np.random.default_rng(4)
    target = np.array([9.5, 18.0, 25.0, 36.0, 65.0, 101.5])
    for _ in range(200):
        assert (np.diff(bent(target, draw_artefacts(rng))) > 0).all()


def test_a_hard_patient_is_drawn_again_alike() -> None:
    one, other = (draw_patient(5, 1, CohortKind.HARD, SMALL) for _ in range(2))
    assert (one.tumour, one.scanner, one.look, one.cavity) == (other.tumour, other.scanner, other.look, other.cavity)
    np.testing.assert_array_equal(one.anatomy.tissue.power, other.anatomy.tissue.power)
