"""Settings: typed sections, read from `config.toml` and the environment, refused when wrong.

A later source wins: the defaults below, `config.toml`, the environment (`WELLIO_SECTION__KEY`), the
command line. Every setting is a field of a `SectionModel`, whose docstring is its documentation:
`config.toml` and `.env.example` are rendered from these models (`template.py`).
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import unquote

from pydantic import (
    BaseModel,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from wellio.access.limits import Rate
from wellio.keys.ring import MasterRing

from .section import SectionModel, validate_section, wrong_settings
from .sources import Origins, Sources
from .types import (
    BaseUrl,
    DatabaseUrl,
    Milliseconds,
    Network,
    Origin,
    Port,
    Seconds,
)

FILE_NAME = "config.toml"


class ServerConfig(SectionModel):
    """Where Wellio listens."""

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 is every one that the machine has."""
    port: Port = 3000
    """Port to listen on; 0 takes a free one."""
    public_url: BaseUrl | None = None
    """Address by which people reach the server, without a path: for the links in mails and
    invitations, and to tell our own pages from others'."""
    allowed_origins: tuple[Origin, ...] = ()
    """Other web sites and apps whose pages may use the API and open sockets, such as
    ["https://app.example", "capacitor://localhost"]; "*" is any, "null" what has no site."""
    trusted_proxies: tuple[Network, ...] = ()
    """Proxies in front that are believed whose request it is, such as ["127.0.0.1", "10.0.0.0/8"];
    all clients of a proxy that is not named here share the limits of one client."""
    forwarded_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"
    """Where these proxies write it; the other one is a client's own word."""
    head_timeout_s: Seconds = 10
    """How long a request's head may take to arrive, and an idle connection is kept."""
    body_timeout_s: Seconds = 15
    """How long a JSON body may take to arrive."""
    unread_timeout_s: Seconds = 30
    """How long a client may leave an answer unread before it is cut off."""
    shutdown_timeout_s: Seconds = 10
    """How long a stopping server lets running requests finish."""
    metrics_token: SecretStr | None = None
    """Bearer token that /metrics asks for; without one it is open to whoever reaches the port."""

    @property
    def url(self) -> str:
        """Return the address for links, without a slash at its end."""
        host = "localhost" if self.host in {"127.0.0.1", "0.0.0.0", "::", ""} else self.host  # noqa: S104 - compared, not bound
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


class DatabaseConfig(SectionModel):
    """Where the data lies."""

    url: DatabaseUrl | None = None
    """postgresql://user:password@host/name or sqlite:///path; else wellio.db in data_dir."""


class LogConfig(SectionModel):
    """What is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important lines that are written."""
    format: Literal["auto", "json", "console"] = "auto"
    """auto: coloured lines on a terminal, JSON elsewhere."""
    access: bool = False
    """Write a line for each request: its route and status, never its query."""
    slow_handler_s: Seconds = 10
    """A request or socket event whose handler takes longer is a warning, with its route or name."""


class MailConfig(SectionModel):
    """How mails to people leave; without a server, they go into the folder <data>/mailbox."""

    url: SecretStr | None = None
    """mailtos://user:password@host with ?from=address and name= for whom they come from, or another
    e-mail URL of apprise's; without a recipient. mailto:// does not encrypt."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 30
    """How long the mail server may take for one mail, in seconds up to 120."""

    @field_validator("url")
    @classmethod
    def _is_a_server(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None:
            from wellio.mail.server import read_url  # with apprise: 0.3 s and 28 MB

            read_url(url.get_secret_value())
        return url

    @property
    def is_exposed(self) -> bool:
        """Tell whether mails travel readable, and further than this machine."""
        if self.url is None:
            return False
        from wellio.mail.server import read_url

        return read_url(self.url.get_secret_value()).is_exposed


class LimitsConfig(SectionModel):
    """How much anybody may ask for; "120+10/s" is 120 at once, and 10 more each second.

    Plugins have limits of their own in their sections; `enabled` is for these too.
    """

    enabled: bool = True
    """false switches all limits off, for a load test."""
    per_address: Rate = Rate(2000, 200)
    """Requests of one network, a /24 of IPv4 or a /64 of IPv6."""
    per_account: Rate = Rate(500, 50)
    """Requests and socket events of one account, wherever it is used."""
    sockets_per_account: Annotated[int, Field(gt=0)] = 10
    """Open sockets of one account."""
    handshakes_per_address: Annotated[int, Field(gt=0)] = 20
    """Open sockets of one network that have not said who they are."""
    packets_per_socket: Rate = Rate(500, 100)
    """Frames of one socket, whatever is in them, and each 4 KiB; what comes faster is read more
    slowly."""


class StorageConfig(SectionModel):
    """Where the files of plugins lie: attachments, exports."""

    folder: Path | None = None
    """Their folder; else `files` in data_dir."""


class LoaderConfig(SectionModel):
    """Which plugins run."""

    path: Path | None = None
    """A folder of plugins of one file or one folder each, beside the installed ones."""
    disabled: tuple[str, ...] = ()
    """Names of plugins that are not loaded."""
    on_error: Literal["stop", "skip"] = "stop"
    """What a broken third-party plugin does: stop the start, or be left out and show in /health."""


class RealtimeConfig(SectionModel):
    """Socket.IO and /ws."""

    ping_interval_ms: Milliseconds = 25_000
    """How often the server asks whether a client is still there."""
    ping_timeout_ms: Milliseconds = 20_000
    """How long it waits for the answer."""
    connect_timeout_s: Seconds = 5
    """How long a socket may take to say who it is."""
    max_payload_bytes: Annotated[int, Field(gt=0)] = 131_072
    """The largest message that a client may send, as JSON writes it: six bytes for a character."""


class SecretsConfig(SectionModel):
    """What must not leak."""

    master_key: SecretStr | None = None
    """64 hexadecimal digits, or several such keys with commas between, the newest first; without
    them, a key is made in <data>/secrets at the first start."""

    @field_validator("master_key")
    @classmethod
    def _good(cls, keys: SecretStr | None) -> SecretStr | None:
        if keys is not None:
            MasterRing.of_setting(keys.get_secret_value())
        return keys


class AuditConfig(SectionModel):
    """The audit log."""

    anchor_file: Path | None = None
    """Where the signed ends of the log are appended; else audit.anchors in data_dir. They show that
    the log was cut off, so keep them where whoever has the database cannot write."""


class SetupConfig(SectionModel):
    """Makes the owner at the first start, unattended."""

    owner_email: str | None = None
    """The owner's e-mail address; needs a password too."""
    owner_password: SecretStr | None = None
    """The owner's password."""

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.owner_email is None) is not (self.owner_password is None):
            raise ValueError("owner_email and owner_password are needed together")
        return self


class Config(SectionModel):
    """All settings of one server."""

    data_dir: Path = Path("data")
    """The practice's folder: database, secrets, control socket."""
    server: ServerConfig = ServerConfig()
    database: DatabaseConfig = DatabaseConfig()
    log: LogConfig = LogConfig()
    mail: MailConfig = MailConfig()
    limits: LimitsConfig = LimitsConfig()
    storage: StorageConfig = StorageConfig()
    loader: LoaderConfig = LoaderConfig()
    realtime: RealtimeConfig = RealtimeConfig()
    secrets: SecretsConfig = SecretsConfig()
    audit: AuditConfig = AuditConfig()
    setup: SetupConfig = SetupConfig()
    plugins: dict[str, dict[str, Any]] = Field(default={}, repr=False)
    """One table for each plugin, read by the plugin's own model."""
    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _origins: Origins = PrivateAttr(default_factory=Origins)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what is odd in the settings but does not stop the start."""
        return self._warnings

    @property
    def origins(self) -> Origins:
        """Return where each setting stands."""
        return self._origins


def load_config(
    path: Path | None = None,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Config:
    """Read the settings.

    Args:
        path: The file; by default `config.toml` in the current folder, if there is one.
        env: The environment; by default the process's own.
        overrides: What wins over both, by dotted name, such as `{"server.port": 0}`.

    Raises:
        ConfigError: Settings are wrong or unknown; the message names each of them.
    """
    env = os.environ if env is None else env
    sources = Sources(env)
    sources.read_file(path or Path(FILE_NAME), required=path is not None)
    sources.read_environment()
    for name, value in (overrides or {}).items():
        sources.put_option(name, value)
    config, problems = validate_section(Config, sources.tree, origins=sources.origins)
    if config is None or sources.problems:
        # What could not be fetched is not also of the wrong type.
        named = {line.partition(":")[0] for line in sources.problems}
        rest = [line for line in problems if line.partition(":")[0] not in named]
        raise wrong_settings([*sources.problems, *rest])
    # Each plugin's own model reads its table, which still says what was text.
    config = config.model_copy(update={"plugins": sources.tree.get("plugins", {})})
    config._origins = sources.origins  # noqa: SLF001 - a private attribute of a model of this module
    warnings = list(sources.oddities)
    if env.get("REDIS_URL"):
        warnings.append(
            "REDIS_URL is set, but nothing in this version of Wellio uses Redis: it has no effect"
        )
    if config.mail.is_exposed:
        warnings.append(
            "mail.url: mails and their links leave this machine unencrypted; mailtos:// encrypts"
        )
    config._warnings = tuple(warnings)  # noqa: SLF001 - a private attribute of a model of this module
    return config


def secret_values(section: BaseModel) -> Iterator[str]:
    """Yield the value of every secret that a section holds, and the password in an address."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, SecretStr):
            yield from _with_password(value.get_secret_value())
        elif isinstance(value, BaseModel):
            yield from secret_values(value)


def _with_password(secret: str) -> Iterator[str]:
    yield secret
    _, is_address, rest = secret.partition("://")
    _, _, password = rest.partition("?")[0].rpartition("@")[0].partition(":")
    if is_address and password:
        yield password
        yield unquote(password)
