"""What somebody may no longer do ends while they are connected: within a second, not at reconnect.

So does all else that they left open: what is open is crossed with all that ends it.

Security test A22. Carl never stops talking meanwhile, and nobody hears a message that he began to
send after the change was answered.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import bcrypt
import pytest
import pytest_asyncio
from wellio_auth.accounts import store as account_store
from wellio_auth.api_keys.models import NewApiKey
from wellio_auth.api_keys.service import ApiKeys
from wellio_auth.credentials.passwords import Passwords
from wellio_auth.invitations.models import NewInvitation
from wellio_auth.invitations.service import Invitations
from wellio_auth.sessions.models import Origin
from wellio_auth.sessions.service import Sessions

from wellio import Actor, Forbidden, Row
from wellio.testing import DEADLINE_S, Socket, Sockets, User, World
from wellio.testing.users import sign_in_cheaply
from wellio.testing.world import Credential, session_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class Talk:
    """A conversation in which somebody never stops talking.

    Attributes:
        socket: Theirs.
        conversation_id: Where.
        sent: Every message that was acknowledged, in order.
        late: Where in `sent` begins what was sent after the change.
    """

    socket: Socket
    conversation_id: str
    sent: list[Mapping[str, Any]] = field(default_factory=list)
    late: int | None = None
    is_over: bool = False

    async def go_on(self) -> None:
        """Talk until it is over."""
        while not self.is_over:
            await self.say()

    async def say(self, count: int = 1) -> None:
        """Type, and send some messages."""
        about = {"conversationId": self.conversation_id}
        for _ in range(count):
            await self.socket.call("typing", {**about, "isTyping": len(self.sent) % 2 == 0})
            ack = await self.socket.call("send_message", {**about, "content": "More"})
            assert ack["ok"], ack
            self.sent.append(ack["message"])

    def changed(self) -> None:
        """Note that the change was answered; one message may be under way."""
        self.late = len(self.sent) + 1

    def is_heard(self, socket: Socket) -> bool:
        """Tell whether a socket heard anything that is late."""
        assert self.late is not None
        late = {message["id"] for message in self.sent[self.late :]}
        assert late
        return any(data.get("id") in late for _, data in socket.received)


@asynccontextmanager
async def talking(
    world: World, shared_sockets: Sockets, conversation_id: str, *opened: Socket
) -> AsyncIterator[Talk]:
    """Have Carl talk meanwhile, once everybody hears him, and for a while after it."""
    talk = Talk(await connect(world, shared_sockets.plain, "carl"), conversation_id)
    await talk.say()
    for socket in opened:
        await socket.receive("new_message", conversationId=conversation_id)
    going_on = asyncio.create_task(talk.go_on())
    try:
        yield talk
    finally:
        talk.is_over = True
        await going_on
    await talk.say(5)


def credential(world: World, who: str) -> Credential:
    found = world.people[who]
    assert found is not None
    return found


async def connect(world: World, protocol: Any, who: str) -> Any:
    return await protocol(world.app.url, credential(world, who))


async def both(world: World, shared_sockets: Sockets, who: str) -> list[Socket]:
    """Connect somebody by both protocols."""
    return [
        await connect(world, protocol, who)
        for protocol in (shared_sockets.plain, shared_sockets.io)
    ]


async def are_closed(opened: Sequence[Socket], reason: str) -> None:
    """Wait until sockets are told why and closed."""
    async with asyncio.timeout(DEADLINE_S):
        for socket in opened:
            assert await socket.receive("session_revoked") == {"reason": reason}
            await socket.closed.wait()


async def refusal(socket: Socket, event: str, conversation_id: str, **more: Any) -> int:
    ack = await socket.call(event, {"conversationId": conversation_id, **more})
    return 200 if ack["ok"] else int(ack["error"]["status"])


async def test_who_is_taken_out_of_a_group_hears_nothing_more(
    world: World, shared_sockets: Sockets
) -> None:
    group, eve = await world.fill("{group}", "carls"), world.ids["eve"]
    opened = await both(world, shared_sockets, "eve")
    plain = opened[0]
    async with talking(world, shared_sockets, group, *opened) as talk:
        path = f"/conversations/{group}/members/{eve}"
        await world.api("carl").delete(path, status=204)
        talk.changed()
        for socket in opened:
            async with asyncio.timeout(DEADLINE_S):
                await socket.receive("member_removed", userId=eve)
            assert await refusal(socket, "send_message", group, content="May I?") == 404
            assert await refusal(socket, "typing", group, isTyping=True) == 404
            message = {"messageId": talk.sent[0]["id"]}
            assert await refusal(socket, "mark_read", group, **message) == 404
        await world.api("eve").get(f"/conversations/{group}/messages", status=404)
        plain.received.clear()  # it answers in order, so the rest would be late
    for socket in opened:
        assert await refusal(socket, "typing", group, isTyping=True) == 404
        assert not talk.is_heard(socket)
        assert not socket.closed.is_set()
    assert [event for event, data in plain.received if data.get("conversationId") == group] == []
    await world.replace("group", "carl")


@dataclass(frozen=True, slots=True)
class End:
    """What a change leaves open of somebody's, and tells what it closes.

    Attributes:
        login: The reason that the sockets of their login are told; None: those stay.
        key: The reason that the sockets of their API key are told.
        works: Whose credential is good afterwards: of the login, of the key.
        sends: What it answers to who then comes back and sends a message.
    """

    login: str | None
    key: str | None
    works: tuple[bool, bool]
    sends: int = 403


_KEY = "api_key_revoked"
#: Open things, crossed with what may happen to whoever opened them.
ENDS = {
    "demoted": End("role_changed", "role_changed", (True, True)),
    "made a client": End("role_changed", _KEY, (True, False), sends=200),
    "disabled": End("disabled", _KEY, (False, False)),
    "erased": End("erased", _KEY, (False, False)),
    "logged out": End("logout", None, (False, True)),
    "logged out everywhere": End("logout", None, (False, True)),
    "session ended": End("revoked", None, (False, True)),
    "other sessions ended": End("revoked", None, (False, True)),
    "password changed": End("password_changed", None, (False, True)),
    "key revoked": End(None, _KEY, (True, False)),
}


async def bring_about(world: World, end: str, user: User, key_id: str) -> None:
    """Have it happen to somebody; they act from another session of theirs where they do."""
    owner, first = world.api("owner"), world.api("fay")
    other = world.app.api.as_(await sign_in_cheaply(world.app, user.email))
    match end:
        case "demoted":
            await owner.patch(f"/users/{user.id}", {"role": "assistant"}, status=200)
        case "made a client":
            await owner.patch(f"/users/{user.id}", {"role": "client"}, status=200)
        case "disabled":
            await owner.patch(f"/users/{user.id}", {"status": "disabled"}, status=200)
        case "erased":
            await world.app.erase(user.id)
        case "logged out":
            await first.post("/auth/logout", status=204)
        case "logged out everywhere":
            await other.post("/auth/logout-all", status=204)
        case "session ended":
            session = session_of(credential(world, "fay"))
            await other.delete(f"/auth/sessions/{session}", status=204)
        case "other sessions ended":
            await other.delete("/auth/sessions", status=204)
        case "password changed":
            change = {"current": user.password, "new": "another horse, three batteries"}
            await other.post("/auth/password", change, status=204)
        case "key revoked":
            await other.delete(f"/api-keys/{key_id}", status=204)


@pytest.mark.sqlite("what is open lies in memory")
@pytest.mark.parametrize("end", ENDS)
async def test_whose_way_in_ends_hears_nothing_more(
    world: World, shared_sockets: Sockets, fay: User, end: str
) -> None:
    expected, carl = ENDS[end], world.api("carl")
    body = {"note": "listener", "scopes": ["chat.read", "chat.send"]}
    key = (await world.api("fay").post("/api-keys", body, status=201)).data
    world.people["fay's key"] = Credential(key["key"])
    members = {"kind": "group", "memberIds": [fay.id], "title": "Talks"}
    talks = (await carl.post("/conversations", members, status=201)).data["id"]
    opened = {who: await every(world, shared_sockets, who) for who in ("fay", "fay's key")}
    async with talking(world, shared_sockets, talks, *opened["fay"]) as talk:
        await bring_about(world, end, fay, key["id"])
        talk.changed()
        reasons = {"fay": expected.login, "fay's key": expected.key}
        again: list[Socket] = []
        for (who, reason), works in zip(reasons.items(), expected.works, strict=True):
            if reason is not None:
                await are_closed(opened[who], reason)
            await world.api(who).get("/me", status=200 if works else 401)
            if reason is not None and works:
                again += await both(world, shared_sockets, who)
        for socket in again:
            answer = await refusal(socket, "send_message", talks, content="May I?")
            assert answer == expected.sends
    for who, reason in reasons.items():
        for socket in opened[who]:
            assert talk.is_heard(socket) is (reason is None)
            assert socket.closed.is_set() is (reason is not None)
    for socket in again:
        await socket.call("nothing", None)
        heard = {event for event, _ in socket.received} - {"presence"}
        assert bool(heard) is (expected.sends == 200)


@dataclass(frozen=True)
class Left:
    """What of all that a coach had open still works after something; each is tried.

    Attributes:
        session: Their access token, and the refresh token beside it.
        key: Their API key.
        invitation: The link by which they invited somebody.
        looks_after: Whether a client comes to them by an invitation of the owner's that names them.
        proof: A login whose password was compared before, and whose session begins after.
        acts: A key and an invitation that they asked for before, and that are written after.
        undo: What takes it back; nothing that ended works again by that.
    """

    session: bool = True
    key: bool = True
    invitation: bool = True
    looks_after: bool = True
    proof: bool = True
    acts: tuple[bool, bool] = (True, True)
    undo: Mapping[str, str] = field(default_factory=dict)


_NOTHING = Left(False, False, False, False, False, (False, False))
#: Open things that are no sockets, crossed with the same.
LEFT = {
    "demoted": Left(
        invitation=False, looks_after=False, acts=(True, False), undo={"role": "coach"}
    ),
    "made a client": replace(_NOTHING, session=True, proof=True, undo={"role": "coach"}),
    "disabled": replace(_NOTHING, undo={"status": "active"}),
    "erased": _NOTHING,
    **dict.fromkeys(
        ("logged out", "logged out everywhere", "session ended", "other sessions ended"),
        Left(session=False),
    ),
    "password changed": Left(session=False, proof=False),
    "key revoked": Left(key=False),
}


async def redeemed(world: World, link: str) -> int:
    body = {"token": link.partition("#token=")[2], "name": "Nia", "password": "plum kettle orbit"}
    return (await world.app.api.post("/invitations/redeem", body)).status


async def has_refreshed(world: World, token: str) -> bool:
    body = {"refreshToken": token, "requestId": "one-and-only-one"}
    return (await world.app.api.post("/auth/refresh", body)).status == 200


async def is_written(world: World, actor: Actor) -> list[bool]:
    """Do what somebody asked for whose request was let in before; their rights were others then."""
    service = world.app.app.service
    asked = (
        service(ApiKeys).create(actor, NewApiKey(note="late", scopes=("clients.read",))),
        service(Invitations).create(
            actor, NewInvitation(email="late@clients.example", role="client")
        ),
    )
    made = []
    for act in asked:
        try:
            await act
        except Forbidden:
            made.append(False)
        else:
            made.append(True)
    return made


@pytest.mark.sqlite("each is one row, which whoever uses it locks")
@pytest.mark.parametrize("end", ENDS)
async def test_nothing_that_somebody_left_open_outlives_its_end(
    world: World, fay: User, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, owner, mine = LEFT[end], world.api("owner"), world.api("fay")
    salt = bcrypt.gensalt
    monkeypatch.setattr("bcrypt.gensalt", lambda *_: salt(4))
    monkeypatch.setattr(Passwords, "is_outdated", lambda *_: False)  # nor hashed anew
    key = await mine.post("/api-keys", {"note": "k", "scopes": ["clients.read"]}, status=201)
    world.people["fay's key"] = Credential(key.data["key"])
    links: list[str] = []
    for inviter, more in ((mine, {}), (owner, {"coachId": fay.id})):
        email = f"{len(links)}.{fay.id}@clients.example"
        body = {"email": email, "role": "client", **more}
        links.append((await inviter.post("/invitations", body, status=201)).data["link"])
    app = world.app.app
    proven = await account_store.user_by_email(app.db, fay.email)
    assert proven is not None
    actor = Actor(fay.id, "coach", None, app.policies.permissions_of("coach"))
    await bring_about(world, end, fay, key.data["id"])
    assert await redeemed(world, links[1]) == 201
    named = {"q": f"1.{fay.id}"}
    (client,) = (await owner.get("/clients", query=named, status=200)).data["items"]
    assert [coach["id"] for coach in client["coaches"]] == [fay.id] * left.looks_after
    await try_everything(world, fay, left, links[0], proven, actor)


async def try_everything(
    world: World, fay: User, left: Left, link: str, proven: Row, actor: Actor
) -> None:
    """Try everything, and what ended once more when it is taken back."""
    sessions = world.app.app.service(Sessions)
    for is_undone in (False, True):
        if is_undone:
            if not left.undo:
                return
            await world.api("owner").patch(f"/users/{fay.id}", left.undo, status=200)
        statuses = [(await world.api(who).get("/me")).status for who in ("fay", "fay's key")]
        assert statuses == [200 if it else 401 for it in (left.session, left.key)]
        if not is_undone or not left.session:
            assert await has_refreshed(world, fay.refresh_token) is left.session
        assert await redeemed(world, link) == (201 if left.invitation else 410)
        if is_undone:
            return
        stored = proven["password_hash"]
        grant = await world.app.app.db.write(
            sessions.open_proven, proven, stored, Origin("", "late")
        )
        assert (grant is not None) is left.proof
        assert await is_written(world, actor) == [*left.acts]


async def every(world: World, shared_sockets: Sockets, who: str) -> list[Socket]:
    """Connect somebody by both protocols, and by polling too."""
    polling = await shared_sockets.io(world.app.url, credential(world, who), transports=["polling"])
    return [*await both(world, shared_sockets, who), polling]


@pytest_asyncio.fixture(loop_scope="module")
async def fay(world: World) -> User:
    """A coach of whom nothing is needed afterwards."""
    user = await world.users.make(world.app, "coach")
    world.people["fay"] = Credential(user.token)
    return user


async def change_eve(world: World, **change: str) -> None:
    await world.api("owner").patch(f"/users/{world.ids['eve']}", change, status=200)
