"""The window is woken by an answer, once, in its own thread."""

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

from viewer.control.news import News
from viewer.main_window import MainWindow


def told_by_threads(news: News) -> None:
    threads = [threading.Thread(target=news.tell) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_many_answers_wake_a_busy_window_once_and_later_ones_again(qtbot: QtBot) -> None:
    parent = QObject()
    news, woken = News(parent), []
    news.arrived.connect(lambda: woken.append(QThread.currentThread() is parent.thread()))
    told_by_threads(news)
    assert woken == []  # nothing happens in their threads
    qtbot.waitUntil(lambda: woken == [True])
    told_by_threads(news)
    qtbot.waitUntil(lambda: woken == [True, True])


def test_what_arrives_while_the_window_takes_news_wakes_it_again(qtbot: QtBot) -> None:
    parent = QObject()
    news, woken = News(parent), []

    def take() -> None:
        woken.append(len(woken))
        if len(woken) == 1:
            told_by_threads(news)

    news.arrived.connect(take)
    news.tell()
    qtbot.waitUntil(lambda: woken == [0, 1])


def test_an_answer_is_shown_without_waiting_for_the_next_round(show: Callable[..., MainWindow], qtbot: QtBot) -> None:
    window = show()
    window._timer.setInterval(60_000)
    shown = window.meter.shown
    qtbot.waitUntil(lambda: window.meter.shown >= shown + 5, timeout=5000)
