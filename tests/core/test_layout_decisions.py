"""The decisions: each has a number of its own, and the list names them in their order."""

import re

from tests.core.source_tree import ROOT

FOLDER = ROOT / "docs/adr"
LINE = re.compile(r"^\| \[(\d{4})\]\((.+)\) \| (.+) \|$", re.MULTILINE)


def test_the_list_has_every_decision_once_and_in_order() -> None:
    files = sorted(path.name for path in FOLDER.glob("[0-9]*.md"))
    listed = LINE.findall((FOLDER / "README.md").read_text())
    assert [name for _, name, _ in listed] == files
    assert [number for number, _, _ in listed] == [f"{n:04}" for n in range(1, len(files) + 1)]
    for number, name, _ in listed:
        assert name.startswith(f"{number}-")
        assert (FOLDER / name).read_text().startswith(f"# {number}: ")
