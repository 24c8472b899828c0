"""The contract is read strictly: whatever is missing, unknown or of the wrong type is named."""

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from certainties import certain, certainty

from inference.contract import CONTRACT_KEY, GOLDEN_KEY, Mode, ModelContract
from inference.errors import ContractError
from inference.model import golden

CONTRACT: dict[str, Any] = {
    "schema": 2,
    "identity": {
        "name": "m",
        "version": "1",
        "created": "2026-11-23",
        "licence": "Apache-2.0",
        "intended_use": "Research",
    },
    "input": {
        "channels": ["iUS"],
        "patch": [64, 96],
        "divisor": [32, 32],
        "transposed": False,
        "spacing_mm": [0.35, 0.35],
        "normalisation": "z_score",
        "mask_normalisation": False,
        "crop_to_nonzero": True,
        "resampling_order": 3,
        "logit_resampling_order": 1,
        "tile_step": 0.5,
        "seen": {"spacing_mm": [0.1, 0.5], "rows": [64, 512], "cols": [64, 512], "intensity": [0, 255]},
    },
    "population": {
        "words": "w",
        "phases": ["before_dura_opening"],
        "surgery": ["first"],
        "tumour_types": [],
        "grades": [],
        "sites": [],
        "scanners": [],
        "views": ["slice"],
        "n_patients": 3,
        "simulated": True,
    },
    "output": {
        "labels": {"background": 0, "tumour": 1},
        "tumour_index": 1,
        "activation": "softmax",
        "threshold": 0.5,
        "folds": 1,
        "mirror_axes": [0, 1],
        "keep_largest": False,
    },
    "reliability": {"min_reliable_area_mm2": 200, "very_small_area_mm2": 35, "fast": None, "thorough": None},
    "provenance": {
        "nnunetv2": "2.8.1",
        "trainer": "t",
        "plans_sha256": "",
        "checkpoint_sha256": [],
        "datasets": [],
        "area_cutoff_mm2": None,
        "label_origin": "simulated",
        "seed": None,
        "exporter": "0",
        "precision": "float32",
    },
    "parity": [],
    "reduction": None,
    "self_test": {"mismatched_per_million": 100, "golden_sha256": ""},
}


def _fields(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every field of the contract, as the keys that lead to it."""
    if not isinstance(value, dict) or path[-1:] == ("labels",):
        return []
    return [(*path, key) for key in value] + [field for key in value for field in _fields(value[key], (*path, key))]


def _with(path: tuple[str, ...], change: Any) -> str:
    changed = json.loads(json.dumps(CONTRACT))
    group = changed
    for key in path[:-1]:
        group = group[key]
    change(group, path[-1])
    return json.dumps(changed)


def test_reads_back_what_it_writes() -> None:
    contract = ModelContract.from_json(json.dumps(CONTRACT))
    assert ModelContract.from_json(contract.to_json()) == contract
    assert contract.input.patch == (64, 96)
    assert ModelContract.from_metadata({CONTRACT_KEY: contract.to_json()}) == contract


@pytest.mark.parametrize("path", _fields(CONTRACT), ids=".".join)
def test_a_missing_field_is_named(path: tuple[str, ...]) -> None:
    with pytest.raises(ContractError, match=path[-1]):
        ModelContract.from_json(_with(path, lambda group, key: group.pop(key)))


@pytest.mark.parametrize("path", [(), ("input",), ("output",), ("reliability",), ("self_test",), ("input", "seen")])
def test_an_unknown_field_is_named(path: tuple[str, ...]) -> None:
    with pytest.raises(ContractError, match="gain_db"):
        ModelContract.from_json(_with((*path, "gain_db"), lambda group, key: group.update({key: 1})))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), 1),
        (("schema",), 3),
        (("input", "patch"), [64, "96"]),
        (("input", "patch"), [60, 96]),
        (("input", "spacing_mm"), [0.35, 0]),
        (("input", "spacing_mm"), [0.35]),
        (("input", "channels"), ["a", "b"]),
        (("input", "normalisation"), "percentile"),
        (("input", "transposed"), "no"),
        (("output", "tumour_index"), 2),
        (("output", "labels"), {"tumour": 0, "background": 1}),
        (("output", "mirror_axes"), [0, 0]),
        (("output", "threshold"), 0),
        (("reliability", "min_reliable_area_mm2"), None),
        (("population", "simulated"), 1),
    ],
)
def test_a_wrong_value_is_refused(path: tuple[str, ...], value: Any) -> None:
    with pytest.raises(ContractError, match="export"):
        ModelContract.from_json(_with(path, lambda group, key: group.update({key: value})))


def test_a_file_of_fewer_bits_is_told_from_the_one_it_was_made_of() -> None:
    contract = ModelContract.from_json(json.dumps(CONTRACT))
    identity = contract.identity
    provenance = msgspec.structs.replace(contract.provenance, precision="float16")
    assert contract.title == f"{identity.name} {identity.version}"
    assert msgspec.structs.replace(contract, provenance=provenance).title == f"{contract.title}, float16 file"


def test_a_model_for_a_later_version_is_not_to_be_exported_again() -> None:
    later = _with(("schema",), lambda group, key: group.update({key: 5, "something": "new"}))
    with pytest.raises(ContractError, match="later version of this program: update the program"):
        ModelContract.from_json(later)


def test_a_third_tissue_is_refused_and_never_counted_as_tumour() -> None:
    """The mask is where tumour outweighs background; a cavity, which outweighs both, would be tumour where it does."""
    three = {"background": 0, "tumour": 1, "cavity": 2}
    for labels in (three, {"background": 0, "cavity": 1, "tumour": 2}, {"tumour": 0}):
        with pytest.raises(ContractError, match="one tumour"):
            ModelContract.from_json(_with(("output", "labels"), lambda group, key: group.update({key: labels})))


def test_a_cavity_is_read_in_a_schema_of_its_own_and_nothing_else_under_its_name() -> None:
    told = json.loads(json.dumps(CONTRACT)) | {"schema": 4}
    told["output"] |= {"labels": {"background": 0, "tumour": 1, "cavity": 2}, "cavity_index": 2}
    contract = ModelContract.from_json(json.dumps(told))
    assert contract.output.planes == (0, 1, 2)
    assert json.loads(contract.to_json()) == told
    for output in (
        {"labels": {"background": 0, "tumour": 1, "vessel": 2}},
        {"labels": {"background": 0, "tumour": 2, "cavity": 1}, "tumour_index": 2},
        {"labels": {"background": 0, "tumour": 1}},
        {"labels": {"background": 0, "tumour": 1, "cavity": 2, "vessel": 3}},
        {"threshold": 0.4},
    ):
        with pytest.raises(ContractError, match="background, one tumour"):
            ModelContract.from_json(json.dumps(told | {"output": told["output"] | output}))
    for wrong in ({"schema": 2}, {"schema": 3}, {"certainty": [msgspec.to_builtins(certainty())]}):
        with pytest.raises(ContractError, match=r"contradict|no certainty"):
            ModelContract.from_json(json.dumps(told | wrong))


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "NaN", json.dumps(CONTRACT).replace("0.35", "NaN")])
def test_what_is_no_contract_is_refused(text: str) -> None:
    with pytest.raises(ContractError):
        ModelContract.from_json(text)


def test_a_model_without_contract_is_refused() -> None:
    with pytest.raises(ContractError, match="no ius contract"):
        ModelContract.from_metadata({})


def test_contract_types_are_frozen() -> None:
    contract = ModelContract.from_json(json.dumps(CONTRACT))
    with pytest.raises(AttributeError):
        contract.schema = 1
    assert isinstance(contract, msgspec.Struct)


def test_a_file_from_before_certainty_has_none_and_is_written_as_it_was() -> None:
    contract = ModelContract.from_json(json.dumps(CONTRACT))
    assert contract.certainty == ()
    assert contract.certainty_in(Mode.FAST) is None
    assert json.loads(contract.to_json()) == CONTRACT


def test_certainty_is_read_back_by_mode_in_its_own_schema() -> None:
    both = certainty(), certainty(mode=Mode.THOROUGH, temperature=3.0)
    read = ModelContract.from_json(certain(ModelContract.from_json(json.dumps(CONTRACT)), *both).to_json())
    assert read.schema == 3
    assert (read.certainty_in(Mode.FAST), read.certainty_in(Mode.THOROUGH)) == both


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 2},
        {"certainty": ()},
        {"certainty": (certainty(), certainty(temperature=3.0))},
        {"certainty": (certainty(temperature=0.0),)},
        {"certainty": (certainty(threshold=1.5),)},
    ],
)
def test_a_certainty_that_contradicts_itself_is_refused(change: dict[str, Any]) -> None:
    contract = certain(ModelContract.from_json(json.dumps(CONTRACT)))
    with pytest.raises(ContractError, match="export"):
        ModelContract.from_json(msgspec.structs.replace(contract, **change).to_json())


def _case() -> golden.GoldenCase:
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    return golden.GoldenCase(pixels, (0.2, 0.3), (pixels > 5).astype(np.uint8))


def test_golden_cases_survive_the_metadata() -> None:
    text, sha256 = golden.pack([_case()])
    (case,) = golden.unpack({GOLDEN_KEY: text}, sha256)
    assert case.spacing_mm == (0.2, 0.3)
    np.testing.assert_array_equal(case.pixels, _case().pixels)
    np.testing.assert_array_equal(case.mask, _case().mask)
    assert case.pixels.dtype == np.uint8


@pytest.mark.parametrize("damage", [lambda text: text[:-8], lambda text: "%" + text[1:], lambda _: ""])
def test_damaged_golden_cases_are_refused(damage: Any) -> None:
    text, sha256 = golden.pack([_case()])
    with pytest.raises(ContractError, match="golden cases"):
        golden.unpack({GOLDEN_KEY: damage(text)}, sha256)


def test_other_golden_cases_than_named_are_refused() -> None:
    text, _ = golden.pack([_case()])
    with pytest.raises(ContractError, match="not the ones"):
        golden.unpack({GOLDEN_KEY: text}, "0" * 64)


def test_a_model_without_golden_cases_is_refused() -> None:
    with pytest.raises(ContractError, match="no golden cases"):
        golden.unpack({}, "0" * 64)
