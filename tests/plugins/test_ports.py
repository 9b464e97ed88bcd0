"""The ports of the built-in plugins: every class does what its port says, by its types too."""

import inspect

import pytest
from wellio_auth.accounts.service import Accounts
from wellio_auth.invitations.service import Invitations
from wellio_auth.ports import ChangeAccounts, InvitePeople, MakeAccounts
from wellio_auth.setup.service import Setup
from wellio_chat.conversations.service import ConversationService
from wellio_chat.messages.service import MessageService
from wellio_chat.ports import HoldConversations, SendMessages
from wellio_practice.clients.service import ClientService
from wellio_practice.ports import KeepClients, KeepSettings, KeepTags
from wellio_practice.settings.service import SettingsService
from wellio_practice.tags.service import TagService

from wellio import Wellio
from wellio.boot.ports import exported_ports
from wellio.testing import StartApp

pytestmark = pytest.mark.sqlite("no SQL is new here")


def typed(app: Wellio) -> tuple[object, ...]:
    """Be read by mypy, which compares each class with its port."""
    makes: MakeAccounts = app.service(Setup)
    changes: ChangeAccounts = app.service(Accounts)
    invites: InvitePeople = app.service(Invitations)
    clients: KeepClients = app.service(ClientService)
    tags: KeepTags = app.service(TagService)
    settings: KeepSettings = app.service(SettingsService)
    holds: HoldConversations = app.service(ConversationService)
    sends: SendMessages = app.service(MessageService)
    return makes, changes, invites, clients, tags, settings, holds, sends


async def test_a_port_is_the_one_instance_of_its_class(wellio_app: StartApp) -> None:
    app = (await wellio_app()).app
    ports = [port for entry in app.hooks.plugins.loaded for port in exported_ports(entry)]
    assert {id(app.service(port)) for port in ports} == {id(it) for it in typed(app)}
    assert len(ports) == len(typed(app))
    for port in ports:
        assert inspect.getdoc(port)
