"""The marks around the picture: orientation, depth ruler, scale bar, letters, phase, banner, calibration points."""

import math

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from inference.crop import Rect
from inference.readout.annotations import Annotations, Ticks
from inference.ruler import Point
from inference.view_notes import Marker
from viewer.picture.placement import Placement
from viewer.style import theme

MOST_TICKS = 40
"""More centimetres than any scanner shows."""
CAPTION = 38
"""Height of the words on the analysed pane, px at 1280×800."""
BANNER, BAND = 46, 32
"""Room above the picture for the banner, and its own height, px at 1280×800: between them stands the ruler's 0."""
RULER, LETTER, NOTHING = 56, 36, 12
"""Room beside the picture for the ruler with its figures, for a letter, and where neither is; px at 1280×800."""
NARROW = 300
"""Width from which the banner stands between two orientation markers, px at 1280×800."""
LINE, BAR = 22, 44
"""Height of a line of words and of the scale bar below the picture, px at 1280×800."""
BESIDE_BAR = 480
"""Width of a pane in which words stand beside the scale bar, px at 1280×800; in a narrower one they stand above it."""
EMPTY = "Open a stream or file (Ctrl O), or drop a file here"


def paint_empty(painter: QPainter, words: str, view: QRect, sizes: theme.Sizes) -> None:
    """Say what to do where there is no picture."""
    painter.setFont(sizes.font(16))
    painter.setPen(QColor(theme.MUTED))
    painter.drawText(QRectF(view), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)


def paint(painter: QPainter, annotations: Annotations, placement: Placement, view: QRect, sizes: theme.Sizes) -> None:
    """Paint all marks onto the view."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _marker(painter, annotations, view, sizes)
    _bottom_lines(painter, annotations, view, sizes)
    if annotations.row_mm is not None:
        _ruler(painter, annotations, placement, view, sizes)
    if annotations.col_mm is not None:
        _scale_bar(painter, annotations.col_mm, placement, view, sizes)
    _letters(painter, annotations, placement, view, sizes)
    if annotations.banner:
        _banner(painter, annotations, view, sizes)
    if annotations.ticks is not None:
        _ticks(painter, annotations.ticks, placement, sizes)
    _frames(painter, annotations.watched, theme.CYAN, placement, sizes)
    _frames(painter, annotations.read, theme.AMBER, placement, sizes)
    _points(painter, annotations.points, theme.AMBER, placement, sizes)
    _points(painter, annotations.caliper, theme.GREEN, placement, sizes)
    if annotations.distance:
        _distance(painter, annotations, placement, view, sizes)
    if annotations.framed:
        _frame(painter, theme.BLUE, view, sizes)
    if annotations.heading:
        room = top_room(annotations, view, sizes)
        _words_on_top(painter, annotations.heading, theme.INKS[annotations.heading_ink], room, sizes)
    if annotations.caption:
        _frame(painter, theme.INKS[annotations.caption_ink], view, sizes)
        _caption(painter, annotations, view, sizes)


def _frame(painter: QPainter, colour: str, view: QRect, sizes: theme.Sizes) -> None:
    """A border around everything."""
    painter.setPen(QPen(QColor(colour), sizes.px(4)))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    half = sizes.px(4) / 2
    painter.drawRect(QRectF(view).adjusted(half, half, -half, -half))


def _caption(painter: QPainter, annotations: Annotations, view: QRect, sizes: theme.Sizes) -> None:
    """The age of this picture, in the border's colour across its top."""
    band = QRectF(view.left(), view.top(), view.width(), sizes.px(CAPTION))
    painter.fillRect(band, QColor(theme.INKS[annotations.caption_ink]))
    _words_on_top(painter, annotations.caption, theme.GROUND, top_room(annotations, view, sizes), sizes)


def _words_on_top(painter: QPainter, words: str, ink: str, room: QRectF, sizes: theme.Sizes) -> None:
    """Words about a pane, in the middle of its top."""
    font, wrap = top_font(words, room, sizes)
    painter.setFont(font)
    painter.setPen(QColor(ink))
    painter.drawText(room, Qt.AlignmentFlag.AlignCenter | wrap, words)


def top_font(words: str, room: QRectF, sizes: theme.Sizes) -> tuple[QFont, Qt.TextFlag]:
    """Font and flag with which words about a pane fit: on one line, or on two where its end would be cut.

    NOT ANALYSED must not lose its first word.
    """
    font = banner_font(words, room.width(), sizes)
    if QFontMetricsF(font).horizontalAdvance(words) <= room.width():
        return font, Qt.TextFlag.TextSingleLine
    return banner_font(words, room.width(), sizes, room.height()), Qt.TextFlag.TextWordWrap


def top_room(annotations: Annotations, view: QRect, sizes: theme.Sizes) -> QRectF:
    """Where words about a pane stand: in the middle of its top, clear of the orientation marker in either corner."""
    marked = annotations.marker is not Marker.NONE
    edge = sizes.touch + sizes.px(16) if marked else sizes.px(8)
    return QRectF(view.left() + edge, view.top(), max(1, view.width() - 2 * edge), sizes.px(CAPTION))


def marker_rect(annotations: Annotations, view: QRect, sizes: theme.Sizes) -> QRectF:
    """The orientation marker's touch target; empty if there is none."""
    if annotations.marker is Marker.NONE:
        return QRectF()
    side, edge = sizes.touch, sizes.px(12)
    left = view.right() - edge - side if annotations.marker is Marker.RIGHT else edge
    return QRectF(left, edge, side, side)


def _marker(painter: QPainter, annotations: Annotations, view: QRect, sizes: theme.Sizes) -> None:
    """The probe's marker side: a ringed M; dotted and with a question mark until the user sets it."""
    rect = marker_rect(annotations, view, sizes)
    if rect.isEmpty():
        return
    unset = annotations.marker is Marker.UNSET
    colour = QColor(theme.MUTED if unset else theme.CYAN)
    pen = QPen(colour, sizes.scale * 1.5, Qt.PenStyle.DashLine if unset else Qt.PenStyle.SolidLine)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    inset = sizes.px(5)
    painter.drawEllipse(rect.adjusted(inset, inset, -inset, -inset))
    painter.setFont(sizes.font(13, QFont.Weight.DemiBold))
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, "M?" if unset else "M")


def strips(annotations: Annotations, view: QRect, sizes: theme.Sizes) -> tuple[int, int]:
    """Heights of what is above and below the picture, view pixels: nothing is written over the sector."""
    banner = _banner_top(annotations, view, sizes) + sizes.px(BANNER) if annotations.banner else 0
    rows = len(_rows(annotations, view, sizes))
    line = sizes.px(LINE)
    bar, raised = sizes.px(BAR) if annotations.col_mm is not None else 0, _raised(annotations, view, sizes)
    return banner, max(rows * line + raised, bar) + (_border(annotations, sizes) if rows else 0)


def sides(annotations: Annotations, sizes: theme.Sizes) -> tuple[int, int]:
    """Least widths to the left and right of the picture, view pixels: ruler and letters stand beside the sector."""
    around = LETTER if any(annotations.letters) else NOTHING
    return sizes.px(around), sizes.px(around if annotations.row_mm is None else RULER)


def marker_room(sizes: theme.Sizes) -> int:
    """Height above the picture in which the orientation marker has its place, view pixels."""
    return sizes.touch + sizes.px(16)


def _border(annotations: Annotations, sizes: theme.Sizes) -> int:
    """Height of the border at the bottom, on which no words may stand."""
    return sizes.px(4) if annotations.framed or annotations.caption else 0


def _raised(annotations: Annotations, view: QRect, sizes: theme.Sizes) -> int:
    """How far the words stand above the bottom: over the scale bar, where there is no room for them beside it."""
    alone = annotations.col_mm is not None and view.width() < sizes.px(BESIDE_BAR)
    return sizes.px(BAR) if alone else 0


def _rows(annotations: Annotations, view: QRect, sizes: theme.Sizes) -> list[list[tuple[float, str, str]]]:
    """The words below the picture as rows of (left, words, colour), with as many in a row as fit."""
    metrics = QFontMetricsF(sizes.font(13, QFont.Weight.Medium))
    left = float(view.left() + sizes.px(14))
    beside_bar = annotations.col_mm is not None and not _raised(annotations, view, sizes)
    right = view.right() - sizes.px(260 if beside_bar else 14)
    rows: list[list[tuple[float, str, str]]] = [[]]
    x = left
    for words, colour in (
        (annotations.phase, theme.TEXT),
        (annotations.corrected, theme.CORRECTED),
        (annotations.wrong, theme.AMBER),
        (annotations.hidden, theme.AMBER),
        (annotations.overruled, theme.AMBER),
        (annotations.measuring, theme.GREEN),
        (annotations.flipped, theme.AMBER),
        *((words, theme.AMBER) for words in annotations.look),
        (annotations.truth, theme.TRUTH),
        (annotations.band, theme.BAND),
        (annotations.disagreement, theme.TRUTH),
        (annotations.mode, theme.SOFT),
        (annotations.note, theme.SOFT),
    ):
        for part in _lines_of(words, metrics, right - left):
            width = metrics.horizontalAdvance(part)
            if rows[-1] and x + width > right:
                rows.append([])
                x = left
            rows[-1].append((x, part, colour))
            x += width + sizes.px(22)
    return rows if rows[0] else []


def _lines_of(words: str, metrics: QFontMetricsF, width: float) -> list[str]:
    """The words in lines that fit the width; a word is never broken."""
    lines: list[str] = []
    for word in words.split(" ") if words else ():
        if lines and metrics.horizontalAdvance(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _bottom_lines(painter: QPainter, annotations: Annotations, view: QRect, sizes: theme.Sizes) -> None:
    """The phase on the left and everything else said about the picture beside it, all below the picture."""
    painter.setFont(sizes.font(13, QFont.Weight.Medium))
    base = view.bottom() - sizes.px(3) - _border(annotations, sizes) - QFontMetricsF(painter.font()).descent()
    base -= _raised(annotations, view, sizes)
    for row in reversed(_rows(annotations, view, sizes)):
        for left, words, colour in row:
            _outlined(painter, QPointF(left, base), words, colour)
        base -= sizes.px(LINE)


def _outlined(painter: QPainter, at: QPointF, words: str, colour: str) -> None:
    """Text on a dark plate, legible over any tissue."""
    metrics = QFontMetricsF(painter.font())
    plate = QRectF(at.x() - 4, at.y() - metrics.ascent(), metrics.horizontalAdvance(words) + 8, metrics.height() + 1)
    painter.fillRect(plate, QColor(0, 0, 0, 190))
    painter.setPen(QColor(colour))
    painter.drawText(at, words)


def _ruler(painter: QPainter, annotations: Annotations, placement: Placement, view: QRect, sizes: theme.Sizes) -> None:
    """Depth from the probe face in cm, beside the picture."""
    per_cm = placement.down * 10 / (annotations.row_mm or 1.0)
    seen = placement.seen
    x = min(seen.right() + sizes.px(52), view.right() - sizes.px(14))
    face = annotations.face_row * placement.down
    # Depth runs up the screen if the picture is flipped.
    zero, deeper = (placement.bottom - face, -per_cm) if placement.flip.up_down else (placement.top + face, per_cm)
    count = int((placement.bottom - placement.top - face) / per_cm)
    every = next((step for step in (1, 2, 5, 10) if per_cm * step >= sizes.px(20)), 20)
    tick = sizes.px(8)
    painter.setPen(QPen(QColor(theme.GREY), 1))
    depths = [cm for cm in range(count + 1) if seen.top() - 1 <= zero + cm * deeper <= seen.bottom() + 1]
    if not depths:
        return
    painter.drawLine(QPointF(x, zero + depths[0] * deeper), QPointF(x, zero + depths[-1] * deeper))
    painter.setFont(sizes.font(12))
    last = depths[-1] - depths[-1] % every
    for cm in depths:
        y = zero + cm * deeper
        major = cm % every == 0
        painter.drawLine(QPointF(x - (tick if major else tick / 2), y), QPointF(x, y))
        if major:
            words = f"{cm} cm" if cm == last else str(cm)
            box = QRectF(x - tick - sizes.px(64), y - sizes.px(10), sizes.px(60), sizes.px(20))
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)


def _scale_bar(painter: QPainter, col_mm: float, placement: Placement, view: QRect, sizes: theme.Sizes) -> None:
    """A bar of 1 cm, 1 mm or 5 cm, whichever is readable."""
    per_mm = placement.across / col_mm
    length = next((mm for mm in (10, 20, 50, 5, 1) if sizes.px(40) <= mm * per_mm <= sizes.px(240)), 10)
    right, y = view.right() - sizes.px(20), view.bottom() - sizes.px(22)
    start = right - length * per_mm
    # In a narrow pane the bar lies on the picture.
    painter.fillRect(QRectF(start - 6, y - sizes.px(26), right - start + 12, sizes.px(36)), QColor(0, 0, 0, 190))
    painter.setPen(QPen(QColor(theme.TEXT), sizes.scale * 2))
    painter.drawLine(QPointF(start, y), QPointF(right, y))
    for x in (start, right):
        painter.drawLine(QPointF(x, y - sizes.px(4)), QPointF(x, y + sizes.px(4)))
    painter.setFont(sizes.font(12))
    words = f"{length // 10} cm" if length >= 10 else f"{length} mm"
    box = QRectF(right - sizes.px(260), y - sizes.px(26), sizes.px(260), sizes.px(20))
    painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)


def _letters(
    painter: QPainter, annotations: Annotations, placement: Placement, view: QRect, sizes: theme.Sizes
) -> None:
    """Anatomical letters at the picture's four edges; on the picture if a narrow pane leaves no room beside it."""
    painter.setFont(sizes.font(15, QFont.Weight.DemiBold))
    side = sizes.px(24)
    seen = placement.seen
    middle_x, middle_y = seen.center().x(), seen.center().y()
    top, bottom, left, right = annotations.letters
    spots = (
        (top, middle_x, seen.top() + side / 2),
        (bottom, middle_x, seen.bottom() - side / 2),
        (left, max(seen.left() - side / 2, view.left() + side), middle_y),
        (right, min(seen.right() + side / 2, view.right() - side), middle_y),
    )
    for letter, x, y in spots:
        if letter:
            box = QRectF(x - side / 2, y - side / 2, side, side)
            painter.fillRect(box, QColor(0, 0, 0, 150))
            painter.setPen(QColor(theme.TEXT))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, letter)


def banner_font(words: str, width: float, sizes: theme.Sizes, height: float | None = None) -> QFont:
    """The largest font, up to 20 px, with which the words fit: on one line, or on as many as a height has room for."""
    wrap = Qt.TextFlag.TextSingleLine if height is None else Qt.TextFlag.TextWordWrap
    room = QRectF(0, 0, width, 10 * sizes.px(BAND))
    for size in range(20, 8, -1):
        font = sizes.font(size, QFont.Weight.Bold)
        taken = QFontMetricsF(font).boundingRect(room, wrap, words)
        if taken.width() <= width and (height is None or taken.height() <= height):
            break
    return font


def banner_rect(annotations: Annotations, view: QRect, sizes: theme.Sizes) -> QRectF:
    """The band at the top: between the two corners of the orientation marker, or below them in a narrow view."""
    beside = annotations.marker is not Marker.NONE and _between_corners(annotations, view, sizes)
    corner = sizes.touch + sizes.px(24) if beside else sizes.px(8)
    left, right = view.left() + corner, view.right() - corner
    top = view.top() + _banner_top(annotations, view, sizes) + sizes.px(3)
    return QRectF(left, top, max(1, right - left), sizes.px(BAND))


def _banner_top(annotations: Annotations, view: QRect, sizes: theme.Sizes) -> int:
    """Height above the banner: of the caption, or of the marker's place where it does not stand beside that."""
    caption = sizes.px(CAPTION) if annotations.caption or annotations.heading else 0
    return caption if _between_corners(annotations, view, sizes) else max(caption, marker_room(sizes))


def _between_corners(annotations: Annotations, view: QRect, sizes: theme.Sizes) -> bool:
    """Whether the banner's words are whole between the corners, or nothing stands in them."""
    return annotations.marker is Marker.NONE or view.width() >= sizes.px(NARROW)


def _banner(painter: QPainter, annotations: Annotations, view: QRect, sizes: theme.Sizes) -> None:
    """A band above the picture, with words of one line or, in a narrow pane, of two."""
    band = banner_rect(annotations, view, sizes)
    painter.fillRect(band, QColor(theme.AMBER))
    painter.setFont(banner_font(annotations.banner, band.width() - sizes.px(16), sizes, band.height()))
    painter.setPen(QColor(theme.GROUND))
    painter.drawText(band, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, annotations.banner)


def distance_rect(annotations: Annotations, placement: Placement, view: QRect, sizes: theme.Sizes) -> QRectF:
    """Where the caliper's distance stands: beside its second point, away from the first; always whole in the view.

    Cut off by the view's edge, 22.2 mm would be read as 2.
    """
    metrics, gap = QFontMetricsF(_distance_font(sizes)), sizes.px(16)
    width, height = metrics.horizontalAdvance(annotations.distance) + 8, metrics.height() + 1
    first, second = (QPointF(*placement.to_view(*point)) for point in annotations.caliper)
    area = QRectF(view) if placement.area is None else QRectF(*placement.area)  # above and below it stand words
    room = QRectF(view.left(), area.top(), view.width(), area.height()).adjusted(gap / 2, 0, -gap / 2, 0)
    right, left = second.x() + gap - 4, second.x() - gap + 4 - width
    preferred, other = (right, left) if second.x() >= first.x() else (left, right)
    x = other if not room.left() <= preferred <= room.right() - width else preferred
    x = min(max(x, room.left()), room.right() - width)
    y = min(max(second.y() + sizes.px(6) - metrics.ascent(), room.top()), room.bottom() - height)
    return QRectF(x, y, width, height)


def _distance_font(sizes: theme.Sizes) -> QFont:
    return sizes.font(16, QFont.Weight.DemiBold)


def _distance(
    painter: QPainter, annotations: Annotations, placement: Placement, view: QRect, sizes: theme.Sizes
) -> None:
    """The caliper's distance."""
    painter.setFont(_distance_font(sizes))
    box = distance_rect(annotations, placement, view, sizes)
    _outlined(
        painter, box.topLeft() + QPointF(4, QFontMetricsF(painter.font()).ascent()), annotations.distance, theme.GREEN
    )


def _points(painter: QPainter, points: tuple[Point, ...], ink: str, placement: Placement, sizes: theme.Sizes) -> None:
    """Points as crosses, and the line between two."""
    spots = [QPointF(*placement.to_view(x, y)) for x, y in points]
    arm = sizes.px(11)
    for colour, width in ((QColor(0, 0, 0, 180), 4.0), (QColor(ink), 1.6)):
        painter.setPen(QPen(colour, width * sizes.scale))
        for spot in spots:
            painter.drawLine(spot - QPointF(arm, 0), spot + QPointF(arm, 0))
            painter.drawLine(spot - QPointF(0, arm), spot + QPointF(0, arm))
        if len(spots) == 2:
            painter.drawLine(spots[0], spots[1])


def _frames(painter: QPainter, rects: tuple[Rect, ...], ink: str, placement: Placement, sizes: theme.Sizes) -> None:
    """Frames around what was read from the scanner's screen or is watched there, a little wider than it."""
    room = sizes.px(4)
    for rect in rects:
        corners = ((rect.left, rect.top), (rect.left + rect.cols, rect.top + rect.rows))
        first, second = (QPointF(*placement.to_view(*corner)) for corner in corners)
        box = QRectF(first, second).normalized().adjusted(-room, -room, room, room)
        for colour, width in ((QColor(0, 0, 0, 180), 4.0), (QColor(ink), 1.6)):
            painter.setPen(QPen(colour, width * sizes.scale))
            painter.drawRect(box)


def _ticks(painter: QPainter, ticks: Ticks, placement: Placement, sizes: theme.Sizes) -> None:
    """Our own centimetres along the line on which they were measured, up to the picture's edge."""
    painter.setFont(sizes.font(12, QFont.Weight.DemiBold))
    (x0, y0), (dx, dy) = ticks.start, ticks.step
    for cm in range(-MOST_TICKS, MOST_TICKS + 1):
        x, y = x0 + cm * dx, y0 + cm * dy
        if not placement.holds(x, y):
            continue
        at, following = QPointF(*placement.to_view(x, y)), QPointF(*placement.to_view(x + dx, y + dy))
        along = following - at
        across = QPointF(along.y(), -along.x()) / max(1.0, math.hypot(along.x(), along.y()))
        start, end = at + across * sizes.px(5), at + across * sizes.px(17)
        for colour, width in ((QColor(0, 0, 0, 180), 4.0), (QColor(theme.CYAN), 2.0)):
            painter.setPen(QPen(colour, width * sizes.scale))
            painter.drawLine(start, end)
        _outlined(painter, end + across * sizes.px(6) + QPointF(0, sizes.px(4)), str(abs(cm)), theme.CYAN)
