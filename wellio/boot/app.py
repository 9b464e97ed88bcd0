"""The application, as hooks and services see it; `assembly.py` puts it together.

There is no global state: two apps in one process share nothing.
"""

from collections.abc import Callable
from typing import Literal, TypeVar, cast, overload

from aiohttp import web

from wellio.access.limits import Limits
from wellio.access.policy import Policies
from wellio.audit import Audit
from wellio.clock import Clock
from wellio.config.section import SectionModel
from wellio.config.settings import Config
from wellio.db.base import Engine
from wellio.errors import PluginError
from wellio.events.bus import EventBus
from wellio.files.storage import FolderStorage, Storage
from wellio.jobs.jobs import Jobs
from wellio.keys.crypto import Crypto
from wellio.keys.people import PersonKeys
from wellio.mail import Mailer
from wellio.observe.metrics import Metrics
from wellio.realtime import Hub

from .hooks import Hooks
from .plugins import Plugins
from .services import Services

T = TypeVar("T")
SectionT = TypeVar("SectionT", bound=SectionModel)


class Wellio:
    """One running Wellio, as hooks and services see it.

    Attributes:
        config: All settings.
        hooks: The plugins, and what they brought.
        db: The database.
        clock: What tells the time.
        crypto: Keys for every purpose.
        keys: A key for each person, to seal what is theirs.
        audit: Who did what to what.
        storage: Where files are kept.
        limits: Makes the budgets of what may be done only so often.
        bus: Events.
        jobs: Background work.
        hub: Who is connected, and how to reach them.
        mail: Sends mails; for jobs.
        policies: What each role may do, and who may do what with which object.
        metrics: Counters and gauges for `/metrics`.
    """

    def __init__(
        self,
        config: Config,
        plugins: Plugins,
        db: Engine,
        clock: Clock,
        crypto: Crypto,
        keys: PersonKeys,
        services: Services,
        *,
        node: str,
    ) -> None:
        self.config = config
        self.db = db
        self.clock = clock
        self.crypto = crypto
        self.keys = keys
        anchor_file = config.audit.anchor_file or config.data_dir / "audit.anchors"
        self.audit = Audit(db, clock, crypto, anchor_file)
        self.storage: Storage = FolderStorage(config.storage.folder or config.data_dir / "files")
        self.limits = Limits(is_enabled=config.limits.enabled, monotonic=clock.monotonic)
        self.jobs = Jobs(db, clock, node=node)
        self.bus = EventBus(db, clock, self.jobs, self.audit, node=node)
        self.hub = Hub(now_ms=clock.now_ms)
        self.policies = Policies()
        self.metrics = Metrics()
        self.mail = Mailer(config, clock, self.metrics)
        self.hooks = Hooks(plugins, self)
        self._services = services

    @overload
    def service(self, wanted: Callable[..., T]) -> T: ...

    @overload
    def service(self, wanted: Callable[..., T], *, optional: Literal[True]) -> T | None: ...

    def service(self, wanted: Callable[..., T], *, optional: bool = False) -> T | None:
        """Return the one instance of a class in this app, made as `cls(app)` at first use.

        Args:
            wanted: The class, or another plugin's port, such as `wellio_chat.ports.SendMessages`:
                then the one instance of the class that provides it.
            optional: Say so for a port whose owner is in `after` only; then it is None where that
                plugin is not loaded. With the owner in `requires` it is always there.

        Raises:
            PluginError: The port's owner is not loaded, and it was not asked for as optional.
        """
        found = cast(T | None, self._services.get(wanted, self))
        if found is None and not optional:
            raise PluginError(
                f"no loaded plugin provides {wanted.__module__}.{wanted.__name__}; with its plugin"
                " in `after` alone, ask for it by app.service(..., optional=True)"
            )
        return found

    def settings(self, model: type[SectionT]) -> SectionT:
        """Return the validated section of `config.toml` whose model this is."""
        return self.hooks.plugins.settings(model)


WELLIO = web.AppKey("wellio", Wellio)
"""Where aiohttp's application has it: `create_app(...)[WELLIO]`, or `request.app[WELLIO]`."""
