"""Progress bars on terminals and in log files."""

import sys

from keras_gans.utils.progress import progress_bar


def shown(capsys, verbose=1):
    bar = progress_bar(3, verbose, "image")
    for _ in range(3):
        bar.add(1)
    return capsys.readouterr().out


def test_bars_in_a_file_are_a_line(capsys):
    text = shown(capsys)
    assert text.startswith("3/3 - ") and "/image" in text
    assert text.count("\n") == 1 and not {"\b", "\r", "\x1b"} & set(text)
    assert not shown(capsys, verbose=0)


def test_bars_on_a_terminal_move(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "\r" in shown(capsys)
