"""Two monitors on one screen of an X server (RandR 1.5), plugged in and pulled out while the window runs."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library

SIZES_MM = (508, 286)


class _Monitor(ctypes.Structure):
    """XRRMonitorInfo of libXrandr."""

    _fields_ = (
        ("name", ctypes.c_ulong),
        ("primary", ctypes.c_int),
        ("automatic", ctypes.c_int),
        ("outputs_count", ctypes.c_int),
        *((side, ctypes.c_int) for side in ("x", "y", "width", "height", "width_mm", "height_mm")),
        ("outputs", ctypes.POINTER(ctypes.c_ulong)),
    )


def available() -> bool:
    """Whether the libraries are here that every desktop has."""
    return all(find_library(name) for name in ("X11", "Xrandr"))


@contextmanager
def split(width: int, height: int, left: int) -> Iterator[None]:
    """Part a screen of this size into a monitor that is `left` wide and another one for the rest."""
    x11, randr = ctypes.CDLL(find_library("X11")), ctypes.CDLL(find_library("Xrandr"))
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XDefaultRootWindow.restype = x11.XInternAtom.restype = ctypes.c_ulong
    randr.XRRAllocateMonitor.restype = ctypes.POINTER(_Monitor)
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    root = ctypes.c_ulong(x11.XDefaultRootWindow(display))
    output = randr.XRRGetScreenResources
    output.restype = ctypes.POINTER(_Resources)
    first = output(display, root).contents.outputs[0]
    names = []
    for name, x, wide in ((b"operator", 0, left), (b"audience", left, width - left)):
        made = randr.XRRAllocateMonitor(display, int(x == 0))
        monitor = made.contents
        monitor.name = x11.XInternAtom(display, name, 0)
        monitor.primary, monitor.automatic = int(x == 0), 0
        monitor.x, monitor.y, monitor.width, monitor.height = x, 0, wide, height
        monitor.width_mm, monitor.height_mm = SIZES_MM
        if x == 0:
            monitor.outputs[0] = first
        randr.XRRSetMonitor(display, root, made)
        names.append(ctypes.c_ulong(monitor.name))
    x11.XSync(display, 0)
    try:
        yield
    finally:
        for atom in reversed(names):
            randr.XRRDeleteMonitor(display, root, atom)
        x11.XSync(display, 0)
        x11.XCloseDisplay(display)


class _Resources(ctypes.Structure):
    """The beginning of XRRScreenResources."""

    _fields_ = (
        ("timestamp", ctypes.c_ulong),
        ("config_timestamp", ctypes.c_ulong),
        ("crtcs_count", ctypes.c_int),
        ("crtcs", ctypes.POINTER(ctypes.c_ulong)),
        ("outputs_count", ctypes.c_int),
        ("outputs", ctypes.POINTER(ctypes.c_ulong)),
    )
