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
from cubes import MRI, SHIFT, TUMOUR, US, recorded, registered

from training.cli import main
from training.registration import review_server
from training.registration.decisions import fingerprint, read_decisions
from training.registration.pictures import FOLDER, Placed, picture_paths, write_pictures
from training.registration.planes import PIXEL_MM, cut_planes
from training.registration.result import Registered, write_results
from training.registration.review_page import write_page
from training.registration.review_server import ReviewServer
from training.registration.transforms import read_transform, rigid, write_transform


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
    start = np.eye(4)
    write_pictures(tmp_path, "with", US, MRI, Placed(start, None), Placed(SHIFT, TUMOUR))
    write_pictures(tmp_path, "without", US, MRI, Placed(start, None), Placed(SHIFT, None))
    amber = {}
    for case in ("with", "without"):
        pictures = {key: cv2.imread(str(path)) for key, path in picture_paths(tmp_path, case).items()}
        assert len({picture.shape for picture in pictures.values()}) == 1
        red_over_blue = {key: picture[..., 2].astype(int) - picture[..., 0] for key, picture in pictures.items()}
        amber[case] = {key: int((difference > 80).sum()) for key, difference in red_over_blue.items()}
    assert all(count > 20 for (_, view), count in amber["with"].items() if view == "overlay")
    assert not any(amber["without"].values())
    assert not any(count for (_, view), count in amber["with"].items() if view in ("us", "overlay-before"))


def test_the_start_is_shown_beside_the_result_in_the_same_plane(tmp_path: Path) -> None:
    """The bright ball of the MRI lies at (5, -4, 3) before, and the registration takes it to (8, -6, 4)."""
    write_pictures(tmp_path, "one", US, MRI, Placed(np.eye(4), None), Placed(SHIFT, TUMOUR))
    paths = picture_paths(tmp_path, "one")
    places = {}
    for view in ("overlay-before", "overlay"):
        blue, green, red = (channel.astype(int) for channel in cv2.split(cv2.imread(str(paths["coronal", view]))))
        rows, cols = np.nonzero((green - red > 60) & (blue - red > 60))
        places[view] = np.array([rows.mean(), cols.mean()]) * PIXEL_MM
    # On a coronal picture the patient's right is on the left, and up is up.
    np.testing.assert_allclose(places["overlay"] - places["overlay-before"], [-1, -3], atol=0.6)


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
        recorded(folder, row)
        write_transform(SHIFT, folder / "transforms" / row.case)
        write_pictures(folder / FOLDER, row.case, US, MRI, Placed(np.eye(4), None), Placed(SHIFT, TUMOUR))
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
    assert len(seen.addresses) == 30
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


@contextlib.contextmanager
def served(folder: Path) -> Iterator[ReviewServer]:
    """The page, served by a real server in a thread."""
    main(["review", str(folder)])
    with ReviewServer(folder, folder / "review.html", simulated=["us"]) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server(folder: Path) -> Iterator[ReviewServer]:
    with served(folder) as server:
        yield server


def _ask(server: ReviewServer, method: str, path: str, **made: object) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, json.dumps(made) if method == "POST" else None)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")


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
    recorded(folder, row)
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


def test_the_server_cuts_planes_and_keeps_a_move(tmp_path: Path) -> None:
    folder, case = registered(tmp_path)
    with served(folder) as server:
        root, seen = f"/{server.secret}/", fingerprint(folder, case)
        status, picture = _ask(server, "GET", f"{root}plane?case={case}&plane=coronal&at=1.5&of=result&by=1,0,0,0,0,0")
        assert (status, picture[1:4]) == (200, "PNG")
        for query in ("case=..%2Fus&plane=coronal&at=0&of=result", f"case={case}&plane=oblique&at=0&of=result", "x"):
            assert _ask(server, "GET", f"{root}plane?{query}")[0] == 409
        assert _ask(server, "GET", f"/guess/plane?case={case}&plane=axial&at=0&of=start")[0] == 404
        moved = {"case": case, "by": [1.0, 0, 0, 0, 0, 0]}
        status, words = _ask(server, "POST", f"{root}move", fingerprint="another", **moved)
        assert (status, "registered anew" in words) == (409, True)
        assert _ask(server, "POST", f"{root}move", fingerprint=seen, **moved)[0] == 200
        page = _ask(server, "GET", root)[1]
    expected = rigid(np.array([1.0, 0, 0, 0, 0, 0]), np.zeros(3)) @ SHIFT
    np.testing.assert_allclose(read_transform(folder / "transforms" / f"{case}.txt"), expected, atol=1e-9)
    assert fingerprint(folder, case) in page
    assert seen not in page
    assert '<span class="chip">moved by hand</span>' in page
    assert '<span class="chip simulated">' in page


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium to press the page's buttons with")
@pytest.mark.parametrize(("plane", "expected"), [("axial", (-1.0, 2.0, 0)), ("sagittal", (0, -1.0, 2.0))])
def test_in_a_browser_the_mri_goes_where_the_arrows_say(tmp_path: Path, plane: str, expected) -> None:
    """Twice right by half a millimetre and once up by two, and kept; the browser mixes the planes meanwhile."""
    folder, case = registered(tmp_path)
    press = """
      if (!location.hash) setTimeout(() => {
      document.querySelector(".closer").click();
      const press = (name, value, shiftKey) => document.querySelector(`.${name} [value=${value}]`)
        .dispatchEvent(new MouseEvent("click", {bubbles: true, shiftKey}));
      press("plane", "PLANE"); press("view", "edges");
      press("nudge", "right"); press("nudge", "right"); press("nudge", "up", true);
      setTimeout(() => document.querySelector(".keep").click(), 500);
    }, 0);
    """
    with served(folder) as server:
        before = fingerprint(folder, case)
        server.page.write_text(
            server.page.read_text().replace("</script>", press.replace("PLANE", plane) + "</script>")
        )
        options = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=8000", "--dump-dom")
        command = ["chromium", *options, server.address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=150, check=True)
    assert fingerprint(folder, case) != before, done.stdout[-2000:]
    found = read_transform(folder / "transforms" / f"{case}.txt") @ np.linalg.inv(SHIFT)
    np.testing.assert_allclose(found[:3, 3], expected, atol=1e-9)
    assert "moved by hand" in done.stdout
