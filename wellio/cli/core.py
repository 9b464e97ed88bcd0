"""The core's own operations."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, field_validator

from wellio.clock import rfc3339
from wellio.db.base import Tx
from wellio.db.migrate import leftover_tables
from wellio.keys.rotation import Rotation
from wellio.wire import Email

from .operations import Cli, NoArguments

if TYPE_CHECKING:
    from wellio.boot.app import Wellio


class OutboxArguments(BaseModel, use_attribute_docstrings=True):
    """The options of `wellio outbox`."""

    retry: bool = False
    """Try again now whatever failed: parked events, and jobs that were given up."""


class MailShowArguments(BaseModel, use_attribute_docstrings=True):
    """The options of `wellio mail show`."""

    to: Email | None = None
    """Only mails to this address."""
    last: Annotated[int, Field(ge=1)] = 20
    """How many at most; 20 if it is not said."""


class VerifyArguments(BaseModel, use_attribute_docstrings=True):
    """The options of `wellio audit verify`."""

    anchors: Path | None = None
    """A file of anchors that were kept elsewhere, beside those that the server writes; absolute."""

    @field_validator("anchors")
    @classmethod
    def _is_there(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_absolute():
            raise ValueError("must be an absolute path: the server may look from elsewhere")
        if path is not None and not path.is_file():
            raise ValueError("must be a file that is there")
        return path


def register_commands(cli: Cli) -> None:
    """Add the core's operations."""
    cli.operation("plugins", plugins, arguments=NoArguments)
    cli.operation("outbox", outbox, arguments=OutboxArguments)
    cli.operation("keys rotate", rotate_keys, arguments=NoArguments)
    cli.operation("keys adopt", adopt_keys, arguments=NoArguments)
    cli.operation("mail show", mail_show, arguments=MailShowArguments)
    cli.operation(
        "doctor",
        doctor,
        arguments=NoArguments,
        has_failed=lambda result: result["status"] == "problem",
    )
    cli.operation(
        "audit verify",
        audit_verify,
        arguments=VerifyArguments,
        has_failed=lambda result: result["status"] != "intact",
    )


async def plugins(app: "Wellio", _: NoArguments) -> Mapping[str, Any]:
    """List the plugins in their order, those left out, and those whose tables are still there."""
    found = app.hooks.plugins
    loaded = [
        {
            "name": entry.name,
            "version": entry.plugin.version,
            "origin": entry.offer.origin,
            "requires": list(entry.plugin.requires),
            "summary": entry.plugin.summary,
        }
        for entry in found.loaded
    ]
    return {
        "plugins": loaded,
        "skipped": [{"name": name, "reason": reason} for name, reason in found.skipped.items()],
        "leftover": list(found.leftover),
        "leftover_tables": await leftover_tables(
            app.db, found.leftover, [entry.name for entry in found.loaded]
        ),
    }


async def outbox(app: "Wellio", arguments: OutboxArguments) -> Mapping[str, Any]:
    """Show how far events and jobs are, and what failed."""
    log, jobs = app.bus.outbox, app.jobs
    retried = 0
    if arguments.retry:
        for name in await log.status():
            retried += await log.retry(name)
        for job in await jobs.dead():
            retried += await jobs.retry(job["id"])
    subscribers = await log.status()
    return {
        "retried": retried,
        "subscribers": [{"name": name, **state} for name, state in subscribers.items()],
        "jobs": [await jobs.status()],
        "parked": [{**dict(row), "at": rfc3339(row["at"])} for row in await log.parked()],
        "dead": [dict(row) for row in await jobs.dead()],
    }


async def rotate_keys(app: "Wellio", _: NoArguments) -> Mapping[str, Any]:
    """Put new master and signing keys in the place of the present ones; nobody is signed out."""
    result = await app.service(Rotation).rotate()
    await app.db.write(_record, app, "keys.rotated")
    return result


async def adopt_keys(app: "Wellio", _: NoArguments) -> Mapping[str, Any]:
    """Go on with the keys.db that is there; what another one's keys sealed stays closed."""
    await app.keys.adopt()
    await app.db.write(_record, app, "keys.adopted")
    return {"status": "keys.db belongs to this database"}


async def _record(tx: Tx, app: "Wellio", action: str) -> None:
    """Write into the audit log what was done to the practice's keys."""
    await app.audit.record(tx, action, "practice", actor_id=None)


async def mail_show(app: "Wellio", arguments: MailShowArguments) -> Mapping[str, Any]:
    """Show the mails in the folder <data>/mailbox, the newest first."""
    mails = await app.mail.mailbox.read(to=arguments.to, last=arguments.last)
    return {
        "mails": [
            {"at": rfc3339(mail.at_ms), "to": mail.to, "subject": mail.subject, "text": mail.text}
            for mail in mails
        ]
    }


async def doctor(app: "Wellio", _: NoArguments) -> Mapping[str, Any]:
    """Look at everything that the data depends on, and say what to do."""
    from wellio.observe.doctor import as_json, examine

    return as_json(await examine(app))


async def audit_verify(app: "Wellio", arguments: VerifyArguments) -> Mapping[str, Any]:
    """Walk the audit log and say where it was changed, if it was."""
    started = time.perf_counter()
    report = await app.audit.verify(arguments.anchors)
    return {
        "status": "intact" if report.is_intact else "broken",
        **asdict(report),
        "seconds": round(time.perf_counter() - started, 3),
    }
