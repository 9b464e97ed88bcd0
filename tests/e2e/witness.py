"""What people hold of a practice, and whether all of it still works: a witness of rotations."""

from typing import Any

from wellio.testing import Api, MakeUser, Reply, Socket, Sockets, TestApp, User, sign_in

LINK_PASSWORD = "plum kettle orbit"


class Witness:
    """A coach with a session, sockets, invitations that are open, and answers that got lost."""

    def __init__(self, app: TestApp, coach: User) -> None:
        self.app = app
        self.coach = coach
        self._token = coach.refresh_token  # the newest that arrived
        self._number = 0

    @classmethod
    async def of(cls, app: TestApp, make_user: MakeUser) -> "Witness":
        """Make the coach and everything that they hold."""
        witness = cls(app, await make_user("coach", app=app))
        witness.client = await make_user("client", coach=witness.coach, app=app)
        await witness.hold()
        return witness

    client: User

    async def hold(self) -> None:
        """Take new things into the hands: those that the next rotation must not harm."""
        self._number += 1
        self.coach = await sign_in(self.app, self.coach.email)
        self._token = self.coach.refresh_token
        # exchanged, and the answer got lost
        self._request, self._next = "lost", "next"
        self._lost = await self._refresh(self._token, self._request)
        self._links = [await self._invite(f"{n}.{self._number}@new.example") for n in range(2)]
        body = {"kind": "group", "title": "Calm", "memberIds": [self.client.id]}
        self._made = await self._keyed("/conversations", body)
        self._conversation = self._made.data["id"]
        self._sent = await self._message()

    async def check(self) -> None:
        """Use everything that a rotation must not harm."""
        await self.check_sessions()
        made = await self._keyed("/conversations", self._made_body)
        assert (made.data, made.headers["Idempotent-Replayed"]) == (self._made.data, "true")

    async def check_sessions(self) -> None:
        """Use what is meant to last longer than a day."""
        assert (await self._api.get("/me", status=200)).data["id"] == self.coach.id
        again = await self._refresh(self._token, self._request)
        assert again["refreshToken"] == self._lost["refreshToken"]
        child = await self._refresh(again["refreshToken"], self._next)
        assert child["user"]["id"] == self.coach.id
        self._token, self._lost = again["refreshToken"], child
        self._request, self._next = self._next, f"{self._next}x"
        message = await self._message()
        assert (message.status, message.data["id"]) == (200, self._sent.data["id"])

    async def redeem(self) -> None:
        """Sign in with the old password, and make an account of an invitation that was open."""
        await sign_in(self.app, self.coach.email)
        body = {"token": self._links.pop(), "name": "New", "password": LINK_PASSWORD}
        await self.app.api.post("/invitations/redeem", body, status=201)

    async def talk(self, socket: Socket) -> None:
        """Send a message over a socket that is open."""
        body = {"conversationId": self._conversation, "content": "Hello"}
        answer = await socket.call("send_message", body)
        assert answer["ok"], answer

    async def connect(self, sockets: Sockets) -> list[Socket]:
        """Open a socket of each kind."""
        url = self.app.url
        return [await sockets.plain(url, self.coach), await sockets.io(url, self.coach)]

    @property
    def _api(self) -> Api:
        return self.app.api.as_(self.coach)

    async def _refresh(self, token: str, request_id: str) -> dict[str, Any]:
        body = {"refreshToken": token, "requestId": request_id.ljust(16, ".")}
        answer = await self.app.api.post("/auth/refresh", body, status=200)
        return dict(answer.data)

    async def _invite(self, email: str) -> str:
        made = await self._api.post("/invitations", {"email": email, "role": "client"}, status=201)
        return str(made.data["link"].partition("#token=")[2])

    async def _keyed(self, path: str, body: dict[str, Any]) -> Reply:
        self._made_body = body
        key = {"Idempotency-Key": f"key {self._number}"}
        return await self._api.post(path, body, headers=key, status=201)

    async def _message(self) -> Reply:
        body = {"content": "Once", "localId": f"local {self._number}"}
        return await self._api.post(f"/conversations/{self._conversation}/messages", body)
