"""Logging: one line an event, as JSON or coloured, each with its `plugin` and `requestId`.

structlog stands on the standard library's logging, so that lines of aiohttp, asyncpg and others get
the same form. A line says what happened and to which ids, never what somebody wrote: exceptions are
reduced to their frames, and to a message only where it cannot hold a value from a request or a row.
Whatever a line was given, secrets are taken out of it last (`redaction.py`).
"""

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Literal, TextIO

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from wellio.errors import WellioError

from .redaction import clean_fields

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request, socket event or job that runs; `None` outside of them."""

# Their messages are written by programmers. The others' quote what was wrong: pydantic its input,
# the databases a row, `int()` its text.
_OPEN_ERRORS = (WellioError, TypeError, AttributeError, NameError, ImportError)

# It tells of every statement with its values, which are what people write.
_TELLTALE = "aiosqlite"

_PROCESSORS: list[Processor] = [
    structlog.stdlib.filter_by_level,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger; call it with `__name__`, which tells the line's `plugin`.

    Fields are keyword arguments: `log.info("mail sent", delivery_id=...)`. They hold ids, counts
    and codes; no header, body, query, address or name of a person.
    """
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=_PROCESSORS,
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return logger


def plugin_of(module: str) -> str:
    """Name the plugin that a module belongs to: `core` for Wellio, a library's own name else."""
    package = module.partition(".")[0]
    return "core" if package == "wellio" else re.sub(r"^wellio_(plugin_)?", "", package)


def configure_logging(
    level: str = "info",
    form: Literal["auto", "json", "console"] = "auto",
    stream: TextIO | None = None,
) -> logging.Handler:
    """Send every log line of the process to one stream, in one form.

    Args:
        level: The least important lines that are written.
        form: `auto` is `console` on a terminal and `json` elsewhere.
        stream: Standard error by default.

    Returns:
        The root logger's only handler.
    """
    stream = stream or sys.stderr
    is_console = form == "console" or (form == "auto" and stream.isatty())
    handler = _Handler(stream)
    handler.setFormatter(_formatter(is_console, colors=is_console and stream.isatty()))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    # For who calls structlog's own get_logger.
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    root.setLevel(level.upper())
    logging.getLogger(_TELLTALE).setLevel(logging.WARNING)
    # It warns of subprotocols that nobody speaks, and quotes them: some put their token there.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
    return handler


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines; one that cannot be written tells where it comes from and not what it holds."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Write a line about a line that could not be formed, such as one with a wrong `%d`."""
        line = {"event": "log line lost", "logger": record.name, "lineno": record.lineno}
        try:
            self.stream.write(json.dumps(line) + self.terminator)
        except (OSError, ValueError):  # the stream itself is gone: nobody is there to hear of it
            return


def _formatter(is_console: bool, *, colors: bool) -> logging.Formatter:
    stamp = structlog.processors.TimeStamper(
        fmt="%H:%M:%S.%f" if is_console else "iso", utc=not is_console, key="at"
    )
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        _add_origin,
        structlog.processors.ExceptionRenderer(_describe),
        remove_meta,
        _redact,
        structlog.stdlib.add_log_level,
        stamp,
    ]
    render: Processor = _to_json
    if is_console:
        render = structlog.dev.ConsoleRenderer(
            colors=colors, timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
        )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder()],
        processors=[*shared, render],
    )


def _add_origin(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    event.setdefault("plugin", plugin_of(event["_record"].name))  # the core may say whose fault
    event.setdefault("requestId", REQUEST_ID.get())
    return event


def _redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return clean_fields(event)


def _to_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    # The standard library's form is ASCII, so no text of a foreign library can break a line.
    return json.dumps(event, default=repr)


def _describe(exc_info: ExcInfo) -> str:
    lines = []
    for error in _chain(exc_info[1]):
        message = str(error) if isinstance(error, _OPEN_ERRORS) else ""
        if isinstance(error, OSError):
            message = error.strerror or ""
        name = type(error).__qualname__
        lines += traceback.format_tb(error.__traceback__)
        lines.append(f"{name}: {message}\n" if message else f"{name}\n")
    return "".join(lines).rstrip()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error's causes and then the error, each once."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    yield from reversed(seen)
