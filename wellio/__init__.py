"""Wellio: what a small coaching practice runs. This module is the plugin author's whole API.

A plugin imports from here (and from `wellio.testing`), never from a submodule.
"""

from importlib import metadata

from .access.actor import Actor, Authenticator, Permission, Role
from .access.limits import Budget, Limits, Rate
from .access.policy import Access, Fragment, Policies, Policy
from .audit import Audit
from .boot.app import WELLIO, Wellio
from .boot.assembly import create_app
from .boot.hookspecs import (
    Account,
    AccountStep,
    DashboardSection,
    DemoPart,
    HealthCheck,
    KeyHolder,
    Notice,
    PersonalData,
    hookimpl,
    hookspec,
)
from .boot.plugin import Plugin
from .cli import ARGUMENT, Cli, NoArguments, Operation
from .clock import Clock, ManualClock, SystemClock, parse_rfc3339, rfc3339
from .config.section import SectionModel
from .config.settings import Config
from .config.strength import StrongSecret
from .db.base import Database, Row, Tx
from .db.table import Change, Slice, Table
from .db.write_hook import preparing
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
    PayloadTooLarge,
    PluginError,
    PreconditionFailed,
    Problem,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    WellioError,
    invalid,
)
from .events.bus import EventBus
from .events.event import Event
from .expr import Expression, ExpressionField, ExpressionJson
from .files.storage import FoundFile, Storage, StoredFile
from .http import (
    ACTOR,
    IF_MATCH,
    REMOTE,
    IfMatch,
    Reply,
    call,
    created,
    endpoint,
    network_of,
    no_content,
)
from .ids import is_id, new_id
from .jobs.jobs import GiveUp, Job, JobRun, Jobs
from .jobs.schedules import Schedule
from .keys.crypto import Crypto, hkdf
from .keys.people import PersonErased, PersonKeys
from .mail import Letterhead, Mail, MailFailed, MailRefused
from .observe.log import get_logger
from .realtime import Ack, Client, Hub, emits, socket_event
from .text import address_key, composed, fold, one_line, sort_key
from .wire import (
    ABSENT,
    Currency,
    Date,
    Email,
    Form,
    Id,
    Instant,
    Line,
    Locale,
    Name,
    Page,
    PageQuery,
    Password,
    Phone,
    Text,
    TimeZone,
    VisibleText,
    Wire,
    decode_cursor,
    encode_cursor,
    page,
)

__version__ = metadata.version("wellio")
"""Which Wellio this is, such as `0.1.0`."""

__all__ = [
    "ABSENT",
    "ACTOR",
    "ARGUMENT",
    "IF_MATCH",
    "REMOTE",
    "WELLIO",
    "Access",
    "Account",
    "AccountStep",
    "Ack",
    "Actor",
    "Audit",
    "Authenticator",
    "BadRequest",
    "Budget",
    "Change",
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
    "Date",
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
    "Form",
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
    "Notice",
    "Operation",
    "Page",
    "PageQuery",
    "Password",
    "PayloadTooLarge",
    "Permission",
    "PersonErased",
    "PersonKeys",
    "PersonalData",
    "Phone",
    "Plugin",
    "PluginError",
    "Policies",
    "Policy",
    "PreconditionFailed",
    "Problem",
    "Rate",
    "Reply",
    "Role",
    "Row",
    "Schedule",
    "SectionModel",
    "Slice",
    "Storage",
    "StoredFile",
    "StrongSecret",
    "SystemClock",
    "Table",
    "Text",
    "TimeZone",
    "TooManyRequests",
    "Tx",
    "Unauthorized",
    "Unavailable",
    "VisibleText",
    "Wellio",
    "WellioError",
    "Wire",
    "__version__",
    "address_key",
    "call",
    "composed",
    "create_app",
    "created",
    "decode_cursor",
    "emits",
    "encode_cursor",
    "endpoint",
    "fold",
    "get_logger",
    "hkdf",
    "hookimpl",
    "hookspec",
    "invalid",
    "is_id",
    "network_of",
    "new_id",
    "no_content",
    "one_line",
    "page",
    "parse_rfc3339",
    "preparing",
    "rfc3339",
    "socket_event",
    "sort_key",
]
