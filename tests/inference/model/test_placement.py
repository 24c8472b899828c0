"""The graphics card and its memory, chosen on the command line and given to the session."""

import argparse

import pytest
from tiny import threshold_model

from inference import cli
from inference.live.model import model_of
from inference.model import onnxruntime_session
from inference.model.placement import Placement, add_placement, placement_of


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_placement(parser)
    return placement_of(parser.parse_args(words))


def test_the_first_card_and_all_of_its_memory_unless_told_otherwise():
    assert parsed() == Placement(0, None)
    assert parsed("--device", "1", "--gpu-memory", "2048") == Placement(1, 2048)


@pytest.mark.parametrize("words", [("--device", "-1"), ("--device", "first"), ("--gpu-memory", "0")])
def test_what_no_card_has_is_refused_before_anything_opens(words, capsys):
    with pytest.raises(SystemExit):
        parsed(*words)
    assert "whole number from" in capsys.readouterr().err


def test_the_choice_reaches_the_session(tmp_path, monkeypatch, capsys):
    """From the command line and from the window's loader to what a session is opened with."""
    threshold_model(tmp_path / "model.onnx")
    told, tell = [], onnxruntime_session.options

    def noted(provider, cache, placement):
        told.append(placement)
        return tell(provider, cache, placement)

    monkeypatch.setattr(onnxruntime_session, "options", noted)
    model_of(tmp_path / "model.onnx", Placement(2, 512))
    assert set(told) == {Placement(2, 512)}
    told.clear()
    assert cli.main(["model", str(tmp_path / "model.onnx"), "--json", "--device", "3", "--gpu-memory", "700"]) == 0
    assert set(told) == {Placement(3, 700)}
    capsys.readouterr()
