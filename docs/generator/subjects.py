"""The subjects by which `docs/reference.md` has the public names, and what is not for plugins."""

from typing import NamedTuple


class Subject(NamedTuple):
    """Names that belong together."""

    title: str
    says: str
    names: str


SUBJECTS = (
    Subject(
        "The plugin and its app",
        "What a plugin says of itself, and the app that its hooks get: all else hangs on that. "
        "[hooks.md](hooks.md) has the hooks.",
        "Plugin hookimpl hookspec Wellio SectionModel StrongSecret get_logger create_app WELLIO "
        "Config __version__",
    ),
    Subject(
        "Routes",
        "`register_routes` returns what `call` makes, or objects with methods under `@endpoint`.",
        "call endpoint IfMatch Reply created no_content ACTOR IF_MATCH REMOTE network_of",
    ),
    Subject(
        "Models of the wire",
        "What requests and answers are made of. The types are for fields, of settings too.",
        "Wire ABSENT Page PageQuery page encode_cursor decode_cursor Id Text VisibleText Line Name "
        "Email Phone Password Date Instant TimeZone Currency Locale Form",
    ),
    Subject(
        "Texts, ids and time",
        "What has to be the same on both engines, and in every language.",
        "fold sort_key address_key composed one_line new_id is_id Clock SystemClock ManualClock "
        "rfc3339 parse_rfc3339",
    ),
    Subject(
        "Who may do what",
        "A permission says what a role may do at all, a policy what somebody may do with one "
        "object, a budget how often.",
        "Actor Role Permission Policy Policies Access Fragment Limits Budget Rate Authenticator",
    ),
    Subject(
        "The database",
        "SQL is fixed text with named parameters; a `Table` has what is plain.",
        "Database Tx Row Table Change Slice preparing",
    ),
    Subject(
        "Events",
        "What happened, in ids; [events.md](events.md) has those of Wellio.",
        "Event EventBus",
    ),
    Subject(
        "Sockets",
        "What clients send and hear at once; [sockets.md](sockets.md) has what there is.",
        "socket_event emits Ack Hub Client",
    ),
    Subject(
        "Jobs and schedules",
        "What leaves the box, or is done by the clock.",
        "Job Schedule JobRun Jobs GiveUp",
    ),
    Subject(
        "Mail",
        "`app.mail.send(mail, key=run.id)` sends one, in a job; [mail.md](mail.md) says how.",
        "Mail Letterhead MailFailed MailRefused",
    ),
    Subject("Files", "`app.storage`: bytes by key.", "Storage StoredFile FoundFile"),
    Subject(
        "People's data",
        "What is handed out and taken away, what is sealed, and what is written down.",
        "PersonalData PersonKeys PersonErased Audit Crypto KeyHolder hkdf",
    ),
    Subject(
        "The dashboard, health and commands",
        "What hooks bring for people who look at the practice, or after it.",
        "DashboardSection HealthCheck Notice Cli Operation NoArguments ARGUMENT",
    ),
    Subject(
        "Accounts and the demo",
        "What follows when an account is made, and what a plugin adds to the demo practice "
        "([demo.md](demo.md)).",
        "Account AccountStep Demo DemoPart DemoPerson DemoSize",
    ),
    Subject(
        "Expressions",
        "Conditions and scores as JSON: [expressions.md](expressions.md).",
        "Expression ExpressionField ExpressionJson",
    ),
    Subject(
        "Errors",
        "A service raises a `Problem` or a class of its own below one of these; "
        "[errors.md](errors.md) has the codes. The others are for whoever starts the server.",
        "Problem BadRequest Unauthorized Forbidden NotFound Conflict Gone PreconditionFailed "
        "PayloadTooLarge Invalid invalid FieldError TooManyRequests Unavailable WellioError "
        "ConstraintViolation DatabaseError ConfigError PluginError",
    ),
)

TESTING = (
    Subject(
        "Apps under test",
        "The types of the fixtures that [plugins.md](plugins.md#tests) lists, and what they give.",
        "StartApp TestApp MakeUser User sign_in Recorder DEADLINE_S",
    ),
    Subject(
        "Requests",
        "Every answer is held against `/openapi.json`.",
        "Api Reply Scenario scenario race",
    ),
    Subject(
        "Open sockets", "What comes is held against it, too.", "Sockets Socket PlainSocket IoSocket"
    ),
    Subject(
        "Rules",
        "Who may do what, as a table that is tried as everybody.",
        "Rules Rule PublicRule Thing Matrix World",
    ),
)

#: What the server itself calls: public among the rooms of the core, and not for plugins.
NOT_FOR_PLUGINS = {
    "Audit": "__init__ keys start stop seal verify check details_of erase_details",
    "Client": "deliver answers",
    "Database": "ping close",
    "Event": "own_fields to_row from_row",
    "EventBus": "__init__ register watch_failures start stop poke settled status",
    "IfMatch": "__init__",
    "Hub": "__init__ handshake add remove dismiss",
    "Jobs": "__init__ register start stop poke run_due status dead retry",
    "Limits": "__init__",
    "Matrix": "targets expected overexposed",
    "PersonKeys": "renew reseal adopt check close",
    "Plugin": "require_wellio",
    "Policies": "allow add",
    "Row": "keys",
    "Schedule": "next_after",
    "Storage": "open close",
    "TestApp": "__init__ start",
    "Api": "session conforms token",
}
