"""Anchors: when the head is signed, what the file survives, and what a missing end looks like."""

import asyncio
import io
import json
import logging
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from structlog.testing import capture_logs

from tests.core.audit.conftest import MASTER, Log, MakeLog
from wellio.audit import Report
from wellio.audit.anchors import AnchorFile
from wellio.audit.sealer import ANCHOR_MS, ANCHOR_ROWS, CHUNK
from wellio.clock import ManualClock
from wellio.db.base import Engine
from wellio.errors import ConfigError
from wellio.keys.crypto import Crypto
from wellio.keys.ring import MasterRing
from wellio.observe.log import configure_logging
from wellio.testing import DEADLINE_S
from wellio.testing.engines import Databases


def lines(log: Log) -> list[str]:
    return log.anchor_file.read_text().splitlines()


def signed(log: Log) -> list[int]:
    """Return up to which rows the log was signed, one time after the other."""
    return [int(line.split()[2]) for line in lines(log)]


def kinds(report: Report) -> list[tuple[int | None, str]]:
    return [(found.row, found.kind) for found in report.breaks]


async def cut_off(log: Log, after: int) -> None:
    await log.run("DELETE FROM wellio_audit WHERE seq > :after", after=after)


async def test_the_head_is_signed_after_an_hour_or_a_thousand_rows(
    log: Log, clock: ManualClock
) -> None:
    await log.sealed(1)
    assert signed(log) == [1]  # the first at once
    await log.sealed(2)
    clock.advance(ANCHOR_MS - 1)
    await log.audit.seal()
    assert signed(log) == [1]
    clock.advance(1)
    await log.audit.seal()
    await log.audit.seal()
    assert signed(log) == [1, 3]
    clock.advance(10 * ANCHOR_MS)
    await log.audit.seal()
    assert signed(log) == [1, 3]  # nothing is new
    clock.advance(-10 * ANCHOR_MS)
    with capture_logs() as said:
        await log.sealed(ANCHOR_ROWS)
    assert signed(log) == [1, 3, ANCHOR_ROWS + 3]
    assert [entry["anchor"] for entry in said] == lines(log)[-1:]
    report = await log.verify()
    assert (report.is_intact, report.anchors, report.anchored) == (True, 3, ANCHOR_ROWS + 3)


async def test_the_log_of_the_server_is_a_second_place(make_log: MakeLog) -> None:
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    configure_logging("info", "json", stream)
    try:
        log = await make_log()
        await log.sealed(1)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
    [told] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert (told["event"], told["anchor"]) == ("audit_anchor", lines(log)[0])  # nothing is masked


async def test_a_burst_is_signed_on_its_way(log: Log) -> None:
    await log.sealed(1)
    await log.sealed(2 * ANCHOR_ROWS + CHUNK)
    first, second, third = signed(log)
    assert first == 1
    assert second - first < ANCHOR_ROWS + CHUNK
    assert third - second < ANCHOR_ROWS + CHUNK


async def test_an_anchor_can_be_checked_without_wellio(log: Log) -> None:
    await log.sealed(3)
    [line] = lines(log)
    text, _, signature = line.rpartition(" ")
    mark, log_id, seq, head, at, public = text.split(" ")
    assert (mark, seq, at) == ("wellio-audit-2", "3", "2026-02-25T06:13:20.000Z")
    assert log_id == f"0x{log.audit.keys.log}"
    assert head == "0x" + (await log.rows())[-1]["hash"]
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public[2:]))
    key.verify(bytes.fromhex(signature[2:]), text.encode())
    assert stat.S_IMODE(log.anchor_file.stat().st_mode) == 0o600


async def test_a_stop_signs_what_is_there(make_log: MakeLog) -> None:
    log = await make_log(workers=True)
    await log.sealed(1)
    await log.note(4)
    await log.audit.stop()
    assert signed(log) == [1, 5]
    again = await make_log(workers=True)
    await again.audit.stop()
    assert signed(log) == [1, 5]


@pytest.mark.parametrize("keep", [0, 4, 9])
async def test_a_log_that_was_cut_off_ends_before_its_anchor(
    make_log: MakeLog, clock: ManualClock, keep: int
) -> None:
    log = await make_log()
    await log.sealed(10)
    await cut_off(log, keep)
    assert kinds(await log.verify()) == [(keep + 1, "truncated")]

    with capture_logs() as said:
        later = await make_log()  # a start notices it too
    assert [entry["trouble"] for entry in said] == ["the chain was cut off"]
    assert await later.audit.check() is not None
    await later.sealed(3)  # and goes on past the hole, which stays to be seen
    assert [row["seq"] for row in await log.rows()] == [*range(1, keep + 1), 11, 12, 13]
    assert kinds(await log.verify()) == [(keep + 1, "missing")]


async def test_who_runs_remembers_what_was_not_signed_yet(log: Log) -> None:
    await log.sealed(1)
    await log.sealed(9)
    assert signed(log) == [1]
    await cut_off(log, 5)
    assert kinds(await log.verify()) == [(6, "truncated")]
    with capture_logs() as said:
        await log.audit.seal()
    assert [entry["event"] for entry in said] == ["audit_log_tampered"]
    assert await log.audit.check() is not None
    await log.sealed(1)
    assert kinds(await log.verify()) == [(6, "missing")]


async def test_a_log_that_was_put_back_to_an_older_state_is_not_what_was_signed(
    make_log: MakeLog,
) -> None:
    log = await make_log()
    await log.sealed(10)
    kept = log.anchor_file.rename(log.anchor_file.with_name("kept elsewhere"))
    await cut_off(log, 5)
    later = await make_log()  # it knows nothing of the first log's end
    await later.sealed(10)
    assert (await later.verify()).is_intact
    report = await later.verify(more_anchors=kept)
    assert kinds(report) == [(10, "rewritten")]


async def test_a_file_that_was_given_and_proves_nothing_is_no_pass(
    databases: Databases, make_log: MakeLog, clock: ManualClock, tmp_path: Path
) -> None:
    log = await make_log()
    await log.sealed(2)
    async with databases.open() as engine:
        theirs = await other_log(engine, tmp_path / "theirs", clock)
        await theirs.sealed(2)
    given = tmp_path / "given"
    for text in ("", theirs.anchor_file.read_text(), "no line"):
        given.write_text(text)
        report = await log.verify(more_anchors=given)
        assert [(it.kind, it.reason) for it in report.breaks] == [
            ("anchor", "given: holds no anchor of this log")
        ], text
    given.write_text(theirs.anchor_file.read_text() + log.anchor_file.read_text())
    assert (await log.verify(more_anchors=given)).is_intact


async def test_a_line_that_a_crash_cut_short_is_no_anchor(make_log: MakeLog) -> None:
    log = await make_log()
    await log.sealed(3)
    whole = log.anchor_file.read_text()
    log.anchor_file.write_text(whole + whole[:100])
    assert (await log.verify()).is_intact
    later = await make_log(workers=True)
    await later.note()
    await later.audit.stop()
    assert log.anchor_file.read_text().startswith(whole)
    assert signed(log) == [3, 4]
    assert (await log.verify()).is_intact


@pytest.mark.parametrize(
    "spoil",
    [
        lambda line: line.replace(" 3 ", " 2 "),
        lambda line: line[:-1] + ("0" if line[-1] != "0" else "1"),
        lambda line: "é" + line,
        lambda line: "",
        lambda line: " ".join([*line.split()[:5], "0x" + "ab" * 32, "0x" + "cd" * 64]),
    ],
)
async def test_an_anchor_that_this_log_did_not_sign_is_told(log: Log, spoil: object) -> None:
    assert callable(spoil)
    await log.sealed(3)
    log.anchor_file.write_text(spoil(lines(log)[0]) + "\n")
    report = await log.verify()
    assert kinds(report) == [(None, "anchor")]
    assert report.anchors == 0
    assert await log.audit.check() == "needs a look: wellio audit verify"  # it says the same


async def other_log(engine: Engine, file: Path, clock: ManualClock) -> Log:
    """Return the log of another practice whose anchors are to go to the same file."""
    log = Log(engine, clock, file, Crypto(MasterRing([MASTER]), bytes(range(1, 33))))
    await log.audit.start(workers=False)
    return log


async def test_two_logs_of_one_folder_are_each_whole(
    databases: Databases, make_log: MakeLog, clock: ManualClock
) -> None:
    ours = await make_log()
    await ours.sealed(2)
    async with databases.open() as engine:
        theirs = await other_log(engine, ours.anchor_file, clock)
        for log in (theirs, ours):
            clock.advance(ANCHOR_MS)
            await log.sealed(3)
            report = await log.verify()
            assert (report.is_intact, report.anchors > 0) == (True, True), report.breaks
            assert await log.audit.check() is None
        assert {path.name for path in ours.anchor_file.parent.iterdir()} == {
            "audit.anchors",
            f"audit.{theirs.audit.keys.log}.anchors",
        }
        assert (await theirs.verify()).foreign == 2  # those of the file that is ours
        await cut_off(theirs, 1)
        assert kinds(await theirs.verify()) == [(2, "truncated")]
    later = await make_log()
    assert (await later.verify()).is_intact


async def test_a_file_that_two_logs_wrote_to_is_no_damage(
    databases: Databases, make_log: MakeLog, clock: ManualClock
) -> None:
    """As versions before the log's id did; and the last anchor of each counts still."""
    ours = await make_log()
    await ours.sealed(3)
    [line] = lines(ours)
    key, (mark, _, *rest) = ours.audit.keys.current, line.rpartition(" ")[0].split()
    old = " ".join([mark.replace("2", "1"), *rest])
    async with databases.open() as engine:
        theirs = await other_log(engine, ours.anchor_file.with_name("x"), clock)
        await theirs.sealed(2)
        foreign = lines(theirs)[0]
    ours.anchor_file.write_text(f"{old} 0x{key.sign(old)}\n" + f"{foreign}\n" * 40)
    await cut_off(ours, 1)
    later = await make_log()
    report = await later.verify()
    assert (kinds(report), report.anchors, report.foreign) == ([(2, "truncated")], 1, 40)
    assert await later.audit.check() is not None


async def test_a_damage_that_only_a_verification_finds_is_known_without_one(
    make_log: MakeLog,
) -> None:
    log = await make_log()
    await log.sealed(5)
    await log.run("UPDATE wellio_audit SET actor_id = 'mallory' WHERE seq = 2")
    assert await log.audit.check() is None  # nobody has looked
    later = await make_log(workers=True)  # a server looks by itself
    async with asyncio.timeout(DEADLINE_S):
        while await later.audit.check() is None:  # noqa: ASYNC110 - it looks in a task of its own
            await asyncio.sleep(0.01)


async def test_only_the_last_lines_are_read_at_the_start(tmp_path: Path) -> None:
    file = AnchorFile(tmp_path / "anchors")
    assert (file.tail(), list(file.lines())) == ([], [])
    many = [f"{number} {'x' * 90}" for number in range(100)]
    for line in many:
        file.append(line)
    assert list(file.lines()) == many
    assert file.tail() == many[-len(file.tail()) :]
    assert 20 < len(file.tail()) < 50


async def test_a_file_that_cannot_be_written_any_more_is_told(log: Log) -> None:
    log.anchor_file.unlink()
    log.anchor_file.mkdir()
    await log.note()
    for _ in range(2):
        with pytest.raises(IsADirectoryError):
            await log.audit.seal()
        assert await log.audit.check() == "cannot write to audit.anchor_file"
    assert len(await log.rows()) == 1  # sealing goes on
    log.anchor_file.rmdir()
    await log.audit.seal()
    assert await log.audit.check() is None
    assert signed(log) == [1]


async def test_a_place_that_cannot_be_written_stops_the_start(
    make_log: MakeLog, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"audit\.anchor_file: .* No such file"):
        await make_log(folder=tmp_path / "nowhere")
