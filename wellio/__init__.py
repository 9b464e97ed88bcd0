"""Wellio: what a small coaching practice runs. This module is the plugin author's whole API.

A plugin imports from here (and from `wellio.testing`), never from a submodule.
"""

from importlib import metadata

from .actor import Actor, Authenticator, Permission
from .app import WELLIO, Wellio, create_app
from .audit import Audit
from .cli import Cli, NoArguments, Operation
from .clock import Clock, ManualClock, SystemClock, parse_rfc3339, rfc3339
from .config import Config, SectionModel
from .crypto import Crypto, hkdf
from .db.base import Database, Row, Tx
from .db.rider import preparing
from .demo import Demo, DemoPerson, DemoSize
from .errors import (
    BadRequest,
    ConfigError,
    Conflict,
    ConstraintViolation,
    DatabaseError,
    FieldError,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    PluginError,
    PreconditionFailed,
    Problem,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    WellioError,
    invalid,
)
from .events import Event, EventBus
from .expr import Expression, ExpressionField, ExpressionJson
from .hookspecs import (
    Account,
    AccountStep,
    DashboardSection,
    DemoPart,
    HealthCheck,
    KeyHolder,
    PersonalData,
    hookimpl,
)
from .http import (
    ACTOR,
    IF_MATCH,
    REMOTE,
    IfMatch,
    Reply,
    created,
    endpoint,
    network_of,
    no_content,
)
from .ids import is_id, new_id
from .jobs import GiveUp, Job, JobRun, Jobs
from .keys.people import PersonErased, PersonKeys
from .limits import Budget, Limits, Rate
from .log import get_logger
from .mail import Letterhead, Mail, MailFailed, MailRefused
from .plugins import Plugin
from .policy import Access, Fragment, Policies, Policy
from .realtime import Client, Hub, socket_event
from .schedules import Schedule
from .storage import FoundFile, Storage, StoredFile
from .strength import StrongSecret
from .wire import (
    Currency,
    Email,
    Id,
    Instant,
    Line,
    Locale,
    Name,
    Page,
    PageQuery,
    Password,
    Text,
    TimeZone,
    Wire,
    decode_cursor,
    encode_cursor,
    page,
)

__version__ = metadata.version("wellio")

__all__ = [
    "ACTOR",
    "IF_MATCH",
    "REMOTE",
    "WELLIO",
    "Access",
    "Account",
    "AccountStep",
    "Actor",
    "Audit",
    "Authenticator",
    "BadRequest",
    "Budget",
    "Cli",
    "Client",
    "Clock",
    "Config",
    "ConfigError",
    "Conflict",
    "ConstraintViolation",
    "Crypto",
    "Currency",
    "DashboardSection",
    "Database",
    "DatabaseError",
    "Demo",
    "DemoPart",
    "DemoPerson",
    "DemoSize",
    "Email",
    "Event",
    "EventBus",
    "Expression",
    "ExpressionField",
    "ExpressionJson",
    "FieldError",
    "Forbidden",
    "FoundFile",
    "Fragment",
    "GiveUp",
    "Gone",
    "HealthCheck",
    "Hub",
    "Id",
    "IfMatch",
    "Instant",
    "Invalid",
    "Job",
    "JobRun",
    "Jobs",
    "KeyHolder",
    "Letterhead",
    "Limits",
    "Line",
    "Locale",
    "Mail",
    "MailFailed",
    "MailRefused",
    "ManualClock",
    "Name",
    "NoArguments",
    "NotFound",
    "Operation",
    "Page",
    "PageQuery",
    "Password",
    "Permission",
    "PersonErased",
    "PersonKeys",
    "PersonalData",
    "Plugin",
    "PluginError",
    "Policies",
    "Policy",
    "PreconditionFailed",
    "Problem",
    "Rate",
    "Reply",
    "Row",
    "Schedule",
    "SectionModel",
    "Storage",
    "StoredFile",
    "StrongSecret",
    "SystemClock",
    "Text",
    "TimeZone",
    "TooManyRequests",
    "Tx",
    "Unauthorized",
    "Unavailable",
    "Wellio",
    "WellioError",
    "Wire",
    "__version__",
    "create_app",
    "created",
    "decode_cursor",
    "encode_cursor",
    "endpoint",
    "get_logger",
    "hkdf",
    "hookimpl",
    "invalid",
    "is_id",
    "network_of",
    "new_id",
    "no_content",
    "page",
    "parse_rfc3339",
    "preparing",
    "rfc3339",
    "socket_event",
]
