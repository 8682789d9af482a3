"""Progress is shown on a terminal, and only there."""

from fhirpkg.cli.shared.progress import Progress


def on_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("fhirpkg.cli.shared.progress._FIRST", 0)
    monkeypatch.setattr("fhirpkg.cli.shared.progress._STEP", 0)


def test_there_is_no_progress_bar_where_there_is_no_terminal(capfd):
    with Progress(3, "written") as progress:
        progress.show(2)
    assert capfd.readouterr().err == ""


def test_short_work_shows_no_bar(capfd, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Progress(3, "written") as progress:
        progress.show(2)
    assert capfd.readouterr().err == ""


def test_the_progress_bar_tells_rate_and_remaining_time_and_is_erased(capfd, monkeypatch):
    on_a_terminal(monkeypatch)
    with Progress(4, "written") as progress:
        progress.show(2)
    told = capfd.readouterr().err
    assert "█" * 10 + "·" * 10 + " 2 of 4 written, " in told
    assert "s left" in told
    assert told.endswith("\r\033[K")


def test_more_than_was_expected_fills_the_bar_and_no_more(capfd, monkeypatch):
    on_a_terminal(monkeypatch)
    with Progress(1, "checked") as progress:
        progress.show(500)
    assert "█" * 20 + " 500 of 1 checked, " in capfd.readouterr().err
