"""Why a model does not run on CUDA: each cause has a sentence of its own. The driver is a stub of NVIDIA's."""

import ctypes

import pytest

from inference.model import nvidia
from inference.model.placement import Placement
from inference.model.providers import card_of

OLD_DRIVER = "the NVIDIA driver serves CUDA 12.4, and 13.0 is needed: install a newer driver"


class Stub:
    """Answers as the CUDA driver API does: 0 and a number written, or a fault."""

    def __init__(self, version=13000, count=1, capability=(9, 0), fault=0, name="NVIDIA H200"):
        self._version, self._count, self._capability, self._fault, self._name = version, count, capability, fault, name

    def cuInit(self, _flags):  # noqa: N802
        return self._fault

    def cuDriverGetVersion(self, number):  # noqa: N802
        return self._written(number, self._version)

    def cuDeviceGetCount(self, number):  # noqa: N802
        return self._fault or self._written(number, self._count)

    def cuDeviceGetAttribute(self, number, attribute, _device):  # noqa: N802
        return self._written(number, self._capability[attribute - 75])

    def cuDeviceGetName(self, buffer, _size, _device):  # noqa: N802
        buffer.value = self._name.encode()
        return 0

    @staticmethod
    def _written(number, value):
        if value is None:
            return 999
        ctypes.cast(number, ctypes.POINTER(ctypes.c_int))[0] = value
        return 0


def test_a_driver_and_a_card_that_serve_are_no_hindrance():
    assert nvidia.why_not(Stub()) == ""
    assert nvidia.why_not(Stub(version=13020, count=2, capability=(7, 5)), device=1) == ""


@pytest.mark.parametrize(
    ("driver", "device", "reason"),
    [
        (None, 0, "no NVIDIA driver is on this computer"),
        (Stub(fault=100), 0, "no NVIDIA driver with a card: it is there, and finds none"),
        (Stub(count=0), 0, "no NVIDIA driver with a card: it is there, and finds none"),
        (Stub(version=12040), 0, "the NVIDIA driver serves CUDA 12.4, and 13.0 is needed: install a newer driver"),
        (
            Stub(version=12040, fault=803),
            0,
            "the NVIDIA driver serves CUDA 12.4, and 13.0 is needed: install a newer driver",
        ),
        (
            Stub(capability=(6, 1), name="NVIDIA GeForce GTX 1080"),
            0,
            "NVIDIA GeForce GTX 1080 has compute capability 6.1, and 7.5 is the least",
        ),
        (Stub(capability=(7, 0), name="Tesla V100"), 0, "Tesla V100 has compute capability 7.0, and 7.5 is the least"),
        (Stub(count=2), 2, "there is no card 2: the NVIDIA driver counts 2 from 0"),
        (
            Stub(fault=999),
            0,
            "the NVIDIA driver answers with fault 999: restart the computer, or install the driver again",
        ),
    ],
)
def test_each_cause_is_told_apart(driver, device, reason):
    assert nvidia.why_not(driver, device) == reason


@pytest.mark.parametrize(
    ("driver", "there"),
    [
        (Stub(), True),
        (Stub(version=12040, capability=(6, 1)), True),
        (Stub(count=0), False),
        (Stub(fault=100), False),
        (None, False),
    ],
)
def test_a_card_is_there_whatever_it_can_do(driver, there):
    assert nvidia.has_card(driver) is there


def test_the_card_of_a_model_has_name_and_number():
    second = Placement(device=1)
    assert card_of("CUDAExecutionProvider", second, Stub()) == "NVIDIA H200 (card 1)"
    assert card_of("TensorrtExecutionProvider", second, Stub(name="Tesla T4")) == "Tesla T4 (card 1)"
    assert card_of("CPUExecutionProvider", second, Stub()) == ""
    assert card_of("CUDAExecutionProvider", second, None) == ""


def test_missing_libraries_name_what_brings_them(monkeypatch):
    monkeypatch.setattr(nvidia.sys, "platform", "linux")
    monkeypatch.setitem(nvidia._LIBRARIES["CUDAExecutionProvider"], "linux", ("libnobody-has-this.so.13", "libc.so.6"))
    said = nvidia.missing("CUDAExecutionProvider")
    assert said == "CUDA's libraries are missing (libnobody-has-this.so.13): pip install '.[cuda]'"
    monkeypatch.setitem(nvidia._LIBRARIES["CUDAExecutionProvider"], "linux", ("libc.so.6",))
    assert nvidia.missing("CUDAExecutionProvider").startswith("its libraries are there, and it fails all the same")
    monkeypatch.setitem(nvidia._LIBRARIES["TensorrtExecutionProvider"], "linux", ("libnobody-has-this.so.10",))
    assert "TensorRT 10 is not on the library path" in nvidia.missing("TensorrtExecutionProvider")
