"""What a command prints for people is whole, however narrow their terminal is."""

import pytest

from wellio.cli.output import show

ID, EMAIL = "01a23080-6602-7000-8000-000000000000", "carl.the.coach@practice.example"
ROW = {"id": ID, "email": EMAIL, "name": "Carl", "lastSeenAt": "2026-12-01T07:11:00.000Z"}


@pytest.mark.parametrize("columns, is_table", [(40, False), (80, False), (200, True)])
def test_nothing_is_cut_off(
    columns: int,
    is_table: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    show({"users": [ROW]}, as_json=False)
    said = capsys.readouterr().out
    assert [value for value in ROW.values() if value not in said] == []
    assert ("┃" in said) is is_table
