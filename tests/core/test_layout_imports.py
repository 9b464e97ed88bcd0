"""Who may import whom: what keeps the core free of features, and plugins free of each other."""

import ast
import sys
from collections.abc import Iterator

import pytest

from tests.children import run
from tests.core.source_tree import ROOT, Rule, Rules, Source, breaches, init_of, read, sample

CODE = read("wellio", "plugins")
EXAMPLES = read("examples")
PACKAGES = sorted({source.package for source in CODE})
# A room of wellio_practice may use these others; booking reaches credits through billing's ledger.
ROOMS = {
    "settings": set[str](),
    "tags": {"settings"},
    "clients": {"settings", "tags"},
    "timeline": {"settings", "tags", "clients"},
    "programs": {"settings", "tags", "clients"},
    "tracking": {"settings", "tags", "clients"},
    "questionnaires": {"settings", "tags", "clients"},
    "billing": {"settings", "tags", "clients"},
    "booking": {"settings", "tags", "clients", "billing.ledger"},
}
# The last answers that an older master key sealed are gone long before the key is.
SEALED_FOR_A_DAY = {"wellio.http.idempotency"}
# Imported where they are used: a start and a command line must not wait for them.
HEAVY = {
    *("PIL", "apprise", "babel", "fpdf", "numpy", "onnxruntime", "pyarrow"),
    *("socketio", "sqlalchemy", "xlsxwriter"),
}


def core_imports_no_plugin(source: Source) -> Iterator[str]:
    """`wellio` knows no feature."""
    if source.package != "wellio":
        return
    for found in source.imports:
        if found.module.startswith(("wellio_", "plugins")):
            yield f"{found.line}: the core imports {found.module}"


def plugin_uses_the_public_api(source: Source) -> Iterator[str]:
    """A plugin takes from the core what `wellio` and `wellio.testing` export."""
    if not source.is_plugin:
        return
    for found in source.imports:
        if found.module.partition(".")[0] != "wellio":
            continue
        if found.module not in {"wellio", "wellio.testing"}:
            yield f"{found.line}: {found.module} is the core's own: import from wellio"
            continue
        public = init_of(found.module, CODE)
        exported = (public.exported if public else None) or ()
        for name in found.names:
            if name not in exported:
                yield f"{found.line}: {found.module} does not export {name}"


def plugin_keeps_to_its_friends(source: Source) -> Iterator[str]:
    """A plugin imports another only when it requires it, and only what is public there."""
    if not source.is_plugin:
        return
    init = init_of(source.package, [source, *CODE, *EXAMPLES])
    friends = init.friends if init else frozenset[str]()
    for found in source.imports:
        other, _, inside = found.module.partition(".")
        if not other.startswith("wellio_") or other == source.package:
            continue
        if other not in friends:
            yield f"{found.line}: {other} is not in PLUGIN.requires or after"
        elif inside not in {"", "events", "ports"}:
            yield f"{found.line}: {found.module} is {other}'s own"
        elif not inside:
            public = init_of(other, CODE)
            exported = {"events", "ports", *((public.exported if public else None) or ())}
            for name in set(found.names) - exported:
                yield f"{found.line}: {other} does not export {name}"


def rooms_keep_their_order(source: Source) -> Iterator[str]:
    """Inside wellio_practice, a room uses only the rooms that come before it."""
    package, _, inside = source.module.partition(".")
    room = inside.partition(".")[0]
    if package != "wellio_practice" or room not in ROOMS:
        return
    for found in source.imports:
        for name in found.names or ("",):
            target = f"{found.module}.{name}".removeprefix("wellio_practice.")
            other = target.partition(".")[0]
            if target == f"{found.module}.{name}" or other not in ROOMS or other == room:
                continue
            if not any(f"{target}.".startswith(f"{below}.") for below in ROOMS[room]):
                yield f"{found.line}: {room} comes before {target.rstrip('.')}"


def what_is_sealed_is_sealed_anew(source: Source) -> Iterator[str]:
    """Who keeps something sealed under the master key seals it anew, or it is lost with the key."""
    init = init_of(source.package, [source, *CODE, *EXAMPLES])
    holds = "async def reseal(" in source.text and source.package == "wellio"  # the boot adds it
    if holds or source.module in SEALED_FOR_A_DAY:
        return
    if init and "def register_key_holders(" in init.text:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("crypto.seal"):
            yield f"{node.lineno}: seals, and its package has no register_key_holders"


RULES: Rules = {
    what_is_sealed_is_sealed_anew: [
        ("plugins/wellio_chat/store.py", "def f(app):\n    return app.crypto.seal('chat', b'')"),
        ("wellio/events/outbox.py", "def f(self):\n    seal = self._crypto.seal"),
    ],
    core_imports_no_plugin: [
        ("wellio/boot/app.py", "import wellio_chat"),
        ("wellio/db/base.py", "def f():\n    from wellio_chat.events import MessageCreated"),
    ],
    plugin_uses_the_public_api: [
        ("plugins/wellio_chat/store.py", "from wellio.db.base import Tx"),
        ("plugins/wellio_chat/store.py", "import wellio.events.bus"),
        ("plugins/wellio_chat/store.py", "from wellio import no_such_name"),
    ],
    plugin_keeps_to_its_friends: [
        ("plugins/wellio_auth/api.py", "from wellio_chat.events import MessageCreated"),
        ("plugins/wellio_practice/events.py", "from wellio_auth import no_such_name"),
        ("plugins/wellio_practice/events.py", "from wellio_auth.store import read"),
        (
            "plugins/wellio_new/__init__.py",
            "PLUGIN = Plugin(requires=('auth',))\nfrom wellio_practice import events",
        ),
    ],
    rooms_keep_their_order: [
        ("plugins/wellio_practice/tags/store.py", "from ..clients import store"),
        ("plugins/wellio_practice/tags/store.py", "import wellio_practice.clients.store"),
        ("plugins/wellio_practice/clients/api.py", "from wellio_practice import billing"),
        ("plugins/wellio_practice/booking/service.py", "from ..billing import store"),
    ],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_repository_keeps_the_rule(rule: Rule) -> None:
    found = breaches(rule, CODE + EXAMPLES)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "rule, path, text", [(rule, *bad) for rule, samples in RULES.items() for bad in samples]
)
def test_the_rule_finds_a_breach(rule: Rule, path: str, text: str) -> None:
    assert len(breaches(rule, [sample(path, text)])) == 1


@pytest.mark.parametrize(
    "path, text",
    [
        ("plugins/wellio_practice/clients/api.py", "from wellio_auth import events"),
        ("plugins/wellio_practice/clients/api.py", "from wellio_auth.events import UserCreated"),
        ("plugins/wellio_practice/clients/api.py", "from wellio_auth.ports import InvitePeople"),
        ("plugins/wellio_practice/clients/api.py", "from wellio_auth import ports"),
        ("plugins/wellio_chat/api.py", "from . import store\nfrom .events import X"),
        ("plugins/wellio_practice/booking/service.py", "from ..billing import ledger"),
        ("plugins/wellio_practice/booking/service.py", "from ..billing.ledger import spend"),
        ("plugins/wellio_practice/clients/api.py", "from ..events import ClientCreated"),
        ("wellio/boot/app.py", "from wellio.events import EventBus"),
    ],
)
def test_what_is_allowed_is_no_breach(path: str, text: str) -> None:
    assert [breaches(rule, [sample(path, text)]) for rule in RULES] == [[]] * len(RULES)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_that_it_has_types(package: str) -> None:
    """Without this, who imports it cannot run `mypy --strict`."""
    (source,) = [it for it in CODE if it.module == package]
    assert (ROOT / source.path).with_name("py.typed").exists()


def loaded_by(statement: str) -> set[str]:
    """Return the top packages that a fresh Python holds after one statement."""
    program = f"{statement}; import sys; print(*sys.modules)"
    done = run(sys.executable, "-c", program)
    assert done.returncode == 0, done.stderr
    return {module.partition(".")[0] for module in done.stdout.split()}


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_is_cheap(package: str) -> None:
    assert loaded_by(f"import {package}") & HEAVY == set()


def test_a_heavy_import_is_seen() -> None:
    assert loaded_by("import socketio") & HEAVY == {"socketio"}
