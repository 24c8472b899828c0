"""The page a person reviews on: pictures in the right place and orientation, and a file that fetches nothing."""

import base64
import contextlib
import hashlib
import http.client
import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.cli import main
from training.registration import review_server
from training.registration.decisions import fingerprint, read_decisions
from training.registration.pictures import FOLDER, picture_paths, write_pictures
from training.registration.planes import PIXEL_MM, cut_planes
from training.registration.result import Registered, write_results
from training.registration.review_page import write_page
from training.registration.review_server import ReviewServer
from training.registration.transforms import rigid, write_transform
from training.registration.volume import Volume


def _volume(side: int, mm: float, of: object) -> Volume:
    """A cube about the origin, in RAS, axes (k, j, i) = (z, y, x); `of` gives values from x, y and z."""
    line = (np.arange(side) - (side - 1) / 2) * mm
    z, y, x = np.meshgrid(line, line, line, indexing="ij")
    affine = np.zeros((4, 4))
    affine[2, 0] = affine[1, 1] = affine[0, 2] = mm
    affine[:3, 3], affine[3, 3] = line[0], 1
    return Volume(of(x, y, z).astype(np.float32), affine)  # type: ignore[operator]


def _ball(x0: float, y0: float, z0: float, radius: float) -> object:
    return lambda x, y, z: (x - x0) ** 2 + (y - y0) ** 2 + (z - z0) ** 2 < radius**2


SHIFT = rigid(np.array([3.0, -2.0, 1.0, 0, 0, 0]), np.zeros(3))
US = _volume(60, 0.6, lambda x, y, z: np.full(np.broadcast(x, y, z).shape, 50.0))
MRI = _volume(50, 1.0, lambda x, y, z: 100.0 + 80 * (((x - 5) ** 2 + (y + 4) ** 2 + (z - 3) ** 2) < 16))
TUMOUR = _volume(60, 0.6, _ball(8, -6, 4, 4))


def test_planes_go_through_the_label_with_right_left_and_nose_up() -> None:
    """The label lies right, behind and above: on the axial picture left of the middle and below it."""
    for plane in cut_planes(US, MRI, TUMOUR, SHIFT):
        rows, cols = np.nonzero(plane.label)
        down, across = (np.mean(at) - (n - 1) / 2 for at, n in zip((rows, cols), plane.label.shape, strict=True))
        expected = {"axial": (6, -8), "coronal": (-4, -8), "sagittal": (-4, 6)}[plane.orientation.name]
        assert (down * PIXEL_MM, across * PIXEL_MM) == pytest.approx(expected, abs=0.4)
        assert plane.label.sum() * PIXEL_MM**2 == pytest.approx(np.pi * 16, rel=0.15)
        # The MRI's bright ball is where the transform puts the tumour.
        bright = np.nan_to_num(plane.mri) > 140
        assert 2 * (bright & plane.label).sum() / (bright.sum() + plane.label.sum()) > 0.8
        assert plane.us.max() == 50


def test_pictures_show_the_label_only_where_there_is_one(tmp_path: Path) -> None:
    write_pictures(tmp_path, "with", US, MRI, TUMOUR, SHIFT)
    write_pictures(tmp_path, "without", US, MRI, None, SHIFT)
    amber = {}
    for case in ("with", "without"):
        pictures = {key: cv2.imread(str(path)) for key, path in picture_paths(tmp_path, case).items()}
        assert len({picture.shape for picture in pictures.values()}) == 1
        red_over_blue = {key: picture[..., 2].astype(int) - picture[..., 0] for key, picture in pictures.items()}
        amber[case] = {key: int((difference > 80).sum()) for key, difference in red_over_blue.items()}
    assert all(count > 20 for (_, view), count in amber["with"].items() if view == "overlay")
    assert not any(amber["without"].values())
    assert not any(count for (_, view), count in amber["with"].items() if view == "us")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two registrations, the second of them flagged, and one that failed; a name that is not HTML."""
    folder = tmp_path / "registered"
    rows = [
        Registered("Case1", "lc2+mind", 0.1, 0.3, 3.5, 1.0, 99.0, 100.0),
        Registered("Case2 <b>&", "lc2+mind", 0.1, 0.3, 16.5, 1.0, 55.0, 0.0, flags="shift overlap label"),
    ]
    write_results([*rows, Registered("Case3", "lc2+mind", error="There is no MRI <here>.")], folder)
    for row in rows:
        write_transform(SHIFT, folder / "transforms" / row.case)
        write_pictures(folder / FOLDER, row.case, US, MRI, TUMOUR, SHIFT)
    return folder


class _Seen(HTMLParser):
    """Sections in their order, and every address in the page."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[dict[str, str | None]] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "section":
            self.sections.append(dict(attrs))
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_shows_flagged_cases_first_and_fetches_nothing(folder: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["review", str(folder), "--accept", "Case1", "--note", 'good "enough" <i>']) == 0
    text = (folder / "review.html").read_text()
    seen = _Seen()
    seen.feed(text)
    assert [one["data-case"] for one in seen.sections] == ["Case2 <b>&", "Case1"]
    assert [one["data-decision"] for one in seen.sections] == ["", "accept"]
    assert seen.sections[1]["data-fingerprint"] == fingerprint(folder, "Case1")
    assert len(seen.addresses) == 18
    assert all(address.startswith("data:image/jpeg;base64,") for address in seen.addresses)
    assert "<b>&<" not in text
    assert "<here>" not in text
    assert "There is no MRI" in text
    assert not re.search(r"@[A-Z]+@", text)
    assert "review.html" in capsys.readouterr().err


def test_a_case_without_pictures_says_so(folder: Path) -> None:
    shutil.rmtree(folder / FOLDER / "Case1")
    page = write_page(folder, [Registered("Case1", "lc2", 0.1, 0.2, 1.0, 1.0, 99.0)], {})
    assert "register this case again" in page.read_text()


def browsed(address: str) -> str:
    """What a real browser makes of a page, its scripts run."""
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom"]
    return subprocess.run([*command, address], capture_output=True, text=True, timeout=150, check=True).stdout


BROWSER = pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium to press the page's buttons with")


@BROWSER
def test_the_buttons_give_out_a_review_that_is_taken(folder: Path, tmp_path: Path) -> None:
    """In a real browser: accept the one, reject the other with a note, and save what would be downloaded."""
    main(["review", str(folder)])
    script = """
      const made = []; URL.createObjectURL = blob => { made.push(blob); return "#"; };
      document.querySelector(".accept").click();
      const last = [...document.querySelectorAll("section")].at(-1);
      last.querySelector(".reject").click(); last.querySelector("input").value = 'turned, "by 5"';
      document.getElementById("save").click();
      made[0].text().then(text => { document.body.innerHTML = `<pre id="csv">${btoa(text)}</pre>`; });
    """
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()  # no other script is run
    press = f"<script>{script}</script></html>"
    page = tmp_path / "pressed.html"
    text = (folder / "review.html").read_text().replace("script-src ", f"script-src 'sha256-{allowed}' ")
    page.write_text(text.replace("</html>", press))
    found = re.search(r'id="csv">([^<]+)<', browsed(page.as_uri()))
    assert found
    given = tmp_path / "review.csv"
    given.write_bytes(base64.b64decode(found[1]))
    assert main(["review", str(folder), "--take", str(given)]) == 0
    decisions = read_decisions(folder)
    assert {case: one.decision for case, one in decisions.items()} == {"Case1": "reject", "Case2 <b>&": "accept"}
    assert decisions["Case1"].note == 'turned, "by 5"'


@pytest.fixture
def server(folder: Path) -> Iterator[ReviewServer]:
    """The page, served by a real server in a thread."""
    main(["review", str(folder)])
    with ReviewServer(folder, folder / "review.html") as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _ask(server: ReviewServer, method: str, path: str, **made: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, json.dumps(made))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_the_served_page_saves_each_decision_and_takes_it_back(folder: Path, server: ReviewServer) -> None:
    page = f"/{server.secret}/"
    assert server.address.endswith(page)
    status, shown = _ask(server, "GET", page)
    written = (folder / "review.html").read_text()
    before, _, rest = written.partition("<script>")
    script, _, after = rest.partition("</script>")
    assert (status, shown) == (200, f'{before}<script src="page.js"></script>{after}')
    assert _ask(server, "GET", f"{page}page.js") == (200, script)
    seen = {"case": "Case1", "note": "looks, right", "fingerprint": fingerprint(folder, "Case1")}
    assert _ask(server, "POST", f"{page}decide", decision="accept", **seen)[0] == 200
    assert read_decisions(folder)["Case1"].note == "looks, right"
    assert _ask(server, "POST", f"{page}decide", decision="", **seen)[0] == 200
    assert read_decisions(folder) == {}


def test_the_server_refuses_what_is_about_another_result_or_comes_from_elsewhere(
    folder: Path, server: ReviewServer
) -> None:
    seen = {"case": "Case1", "decision": "accept", "note": ""}
    decide = f"/{server.secret}/decide"
    status, words = _ask(server, "POST", decide, fingerprint="another", **seen)
    assert status == 409
    assert "registered anew" in words
    assert _ask(server, "POST", decide, fingerprint=fingerprint(folder, "Case1"), case="Case1")[0] == 409
    assert _ask(server, "POST", "/guess/decide", fingerprint=fingerprint(folder, "Case1"), **seen)[0] == 404
    assert _ask(server, "GET", "/")[0] == 404
    assert not (folder / "review.csv").exists()


def test_only_the_pages_own_script_is_allowed_to_run(folder: Path, server: ReviewServer) -> None:
    text = (folder / "review.html").read_text()
    script = text.partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}' 'self'" in text
    assert text.count("<script") == 1
    assert not re.search(r"<[^>]*\son\w+=", text), "no handler in the page itself"
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)) as connection:
        connection.request("GET", f"/{server.secret}/")
        headers = connection.getresponse().headers
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe-inline" not in headers["Content-Security-Policy"].partition("script-src")[2]


@BROWSER
def test_the_served_page_runs_its_script_and_no_other(folder: Path, server: ReviewServer) -> None:
    page = folder / "review.html"
    page.write_text(page.read_text().replace("<main", "<script>document.title = 'taken over'</script><main"))
    assert "taken over" not in browsed(page.as_uri()).partition("</title>")[0]
    main(["review", str(folder)])
    assert "0 accepted, 0 rejected, 2 undecided" in browsed(server.address)


def test_flags_and_names_are_text_whatever_they_are(folder: Path) -> None:
    """A table is a file that anybody may have written."""
    row = Registered("<i>@FAILED@", "<b>", 0.1, 0.2, 1.0, 1.0, 99.0, flags='<img/src="x"> shift')
    write_transform(SHIFT, folder / "transforms" / row.case)
    text = write_page(folder, [row, Registered("Case9", "lc2", error="There is no MRI.")], {}).read_text()
    assert "<i>" not in text
    assert "<img/" not in text
    assert "&lt;img/src=&quot;x&quot;&gt;" in text
    assert text.count("There is no MRI.") == 1


def test_a_browser_that_stalls_keeps_nobody_waiting_and_is_dropped(
    folder: Path, server: ReviewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_server, "LIMIT_S", 0.5)
    seen = {"case": "Case1", "decision": "accept", "note": "", "fingerprint": fingerprint(folder, "Case1")}
    stalled = [socket.create_connection(("127.0.0.1", server.server_port), timeout=10) for _ in range(3)]
    stalled[1].sendall(b"GET /")
    stalled[2].sendall(f"POST /{server.secret}/decide HTTP/1.1\r\nContent-Length: 99\r\n\r\n{{".encode())
    assert _ask(server, "POST", f"/{server.secret}/decide", **seen)[0] == 200
    for one in stalled:
        with one:
            while one.recv(1000):  # ended by the server; else this waits for ten seconds and fails
                pass


@pytest.mark.parametrize("length", ["-1", "many", "99999999"])
def test_a_length_that_is_none_is_refused(server: ReviewServer, length: str) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)) as connection:
        connection.putrequest("POST", f"/{server.secret}/decide")
        connection.putheader("Content-Length", length)
        connection.endheaders()
        assert connection.getresponse().status == 404


def test_decisions_that_come_at_once_are_all_kept(folder: Path, server: ReviewServer) -> None:
    """Two tabs: each decision is read, added to and written whole, and the other one's is not lost."""
    cases = ["Case1", "Case2 <b>&"]

    def press(case: str) -> None:
        for word in ("accept", "reject") * 5:
            seen = {"case": case, "decision": word, "note": "", "fingerprint": fingerprint(folder, case)}
            assert _ask(server, "POST", f"/{server.secret}/decide", **seen)[0] == 200

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(press, cases))
    assert {case: one.decision for case, one in read_decisions(folder).items()} == dict.fromkeys(cases, "reject")


def test_a_full_disk_is_told_on_the_page(folder: Path, server: ReviewServer) -> None:
    (folder / "review.csv").mkdir()
    seen = {"case": "Case1", "decision": "accept", "note": "", "fingerprint": fingerprint(folder, "Case1")}
    status, words = _ask(server, "POST", f"/{server.secret}/decide", **seen)
    assert status == 507
    assert "cannot be written" in words
