"""Everything the user can do, listed once: each action with its name, keys, words and handler.

A new action is one line here; its handler is a method of `ActionHandlers` if one line is not enough. The keyboard, the
help and foot pedals read this table.
"""

from viewer.control.action_handlers import ActionHandlers
from viewer.keymap import Action

ACTIONS: tuple[Action[ActionHandlers], ...] = (
    Action("play", ("Space",), "space", "Play, pause, freeze", ActionHandlers.play_or_pause),
    Action("replay", ("L",), "L", "Play frozen half minute", ActionHandlers.replay),
    Action("back", ("Left",), "←", "One frame back", lambda do: do.step(-1), repeats=True),
    Action("forward", ("Right",), "→", "One frame on", lambda do: do.step(1), repeats=True),
    Action("open", ("Ctrl+O",), "Ctrl O", "Open a source", ActionHandlers.show_source_panel),
    Action("calibrate", ("C",), "C", "Calibrate the scale", ActionHandlers.show_calibration_panel),
    Action("again", ("U",), "U", "Use the scale again", ActionHandlers.use_scale_again),
    Action("model", ("M",), "M", "Model card", ActionHandlers.show_model_panel),
    Action("phase", ("P",), "P", "Phase of surgery", ActionHandlers.show_phase_panel),
    Action("overlay", ("O",), "O", "Contour off for 3 s", ActionHandlers.contour_off),
    Action("band", ("B",), "B", "Uncertainty band", ActionHandlers.toggle_band),
    Action("disagreement", ("V",), "V", "Model disagreement", ActionHandlers.toggle_disagreement),
    Action("raw", ("J",), "J", "Beside: without contour", lambda do: do.side_by_side.toggle_raw()),
    Action("earlier", ("H",), "H", "Beside: earlier frame", lambda do: do.side_by_side.next_earlier()),
    Action("hold", ("G",), "G", "Keep frame to compare", lambda do: do.side_by_side.keep()),
    Action("caliper", ("D",), "D", "Caliper on a still view", ActionHandlers.toggle_caliper),
    Action("pointer", ("I",), "I", "Point by arrows, Enter", ActionHandlers.point_by_keys),
    Action("correct", ("A",), "A", "Correct the contour", lambda do: do.correcting.toggle()),
    Action("undo", ("Ctrl+Z",), "Ctrl Z", "Undo a correction", lambda do: do.correcting.undo()),
    Action("carry", ("Shift+A",), "⇧ A", "Carry to frames beside", lambda do: do.correcting.carry()),
    Action("confirm", ("Q",), "Q", "Confirm carried contour", lambda do: do.correcting.confirm()),
    Action("snapshot", ("S",), "S", "Write a snapshot", ActionHandlers.write_snapshot),
    Action("record", ("R",), "R", "Record, or stop", ActionHandlers.record_or_stop),
    Action("code", ("Shift+R",), "⇧ R", "Case code of records", ActionHandlers.show_case_code_panel),
    Action("records", ("Ctrl+R",), "Ctrl R", "Records: open, export", lambda do: do.records.toggle()),
    Action("keep", ("K",), "K", "Keep the last 30 s", ActionHandlers.keep_last),
    Action("export", ("E",), "E", "Export the open record", ActionHandlers.export_record),
    Action("wrong", ("W",), "W", "Mark contour as wrong", ActionHandlers.mark_wrong),
    Action("wider", ("+", "="), "+", "Wider line", lambda do: do.widen(0.5), repeats=True),
    Action("narrower", ("-",), "−", "Narrower line", lambda do: do.widen(-0.5), repeats=True),
    Action("closer", ("Z",), "Z", "Zoom in", lambda do: do.zoom(1.25), repeats=True),
    Action("farther", ("Shift+Z",), "⇧ Z", "Zoom out", lambda do: do.zoom(0.8), repeats=True),
    Action("go_left", ("Shift+Left",), "⇧ ←", "Look further left", lambda do: do.move_by_step(-1, 0), repeats=True),
    Action("go_right", ("Shift+Right",), "⇧ →", "Look further right", lambda do: do.move_by_step(1, 0), repeats=True),
    Action("go_up", ("Shift+Up",), "⇧ ↑", "Look further up", lambda do: do.move_by_step(0, -1), repeats=True),
    Action("go_down", ("Shift+Down",), "⇧ ↓", "Look further down", lambda do: do.move_by_step(0, 1), repeats=True),
    Action("lighter", ("Ctrl+Up",), "Ctrl ↑", "Brighter on screen", lambda do: do.lighten(10), repeats=True),
    Action("darker", ("Ctrl+Down",), "Ctrl ↓", "Darker on screen", lambda do: do.lighten(-10), repeats=True),
    Action("sharper", ("Ctrl+Right",), "Ctrl →", "More contrast", lambda do: do.sharpen(1.15), repeats=True),
    Action("softer", ("Ctrl+Left",), "Ctrl ←", "Less contrast", lambda do: do.sharpen(1 / 1.15), repeats=True),
    Action("neutral", ("N",), "N", "Sector as it came", ActionHandlers.look_as_it_came),
    Action("mirror", ("X",), "X", "Flip left and right", ActionHandlers.flip_left_right),
    Action("invert", ("Y",), "Y", "Flip up and down", ActionHandlers.flip_up_down),
    Action("fullscreen", ("F", "F11"), "F", "Full screen", lambda do: do.monitors.full_screen()),
    Action("monitor", ("Shift+F",), "⇧ F", "Fill the other monitor", lambda do: do.monitors.other_monitor()),
    Action("second", ("Ctrl+F",), "Ctrl F", "Second screen", lambda do: do.second_screens.toggle()),
    Action("performance", ("T",), "T", "Device, timing, counts", ActionHandlers.show_timing_panel),
    Action("following", ("F8",), "F8", "Pedal: next button", lambda do: do.pedal.step(1), repeats=True),
    Action("press", ("F7",), "F7", "Pedal: press it", lambda do: do.pedal.press()),
    Action("previous", ("F6",), "F6", "Pedal: button before", lambda do: do.pedal.step(-1), repeats=True),
    Action("help", ("?", "F1"), "?", "Keys and all actions", ActionHandlers.show_keys_panel),
    Action("dismiss", ("Esc",), "Esc", "Close the panel", ActionHandlers.close_panel),
)
BY_NAME = {action.name: action for action in ACTIONS}
