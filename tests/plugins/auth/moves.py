"""What several of these tests do: refresh, look whether a token works, listen to account steps."""

from collections.abc import Mapping
from typing import Any

from wellio import Account, AccountStep, Plugin, Tx, Wellio, hookimpl
from wellio.testing import Reply, TestApp, User


class Steps:
    """Notes what account steps get, and refuses when told to."""

    PLUGIN = Plugin(name="steps", version="1", requires=("auth",))

    def __init__(self) -> None:
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.refusal: Exception | None = None

    @hookimpl
    def register_account_steps(self, app: Wellio) -> list[AccountStep]:
        return [self]

    async def on_account(self, tx: Tx, account: Account, attributes: Mapping[str, Any]) -> None:
        stored = await tx.fetch_one("SELECT role FROM auth_v_user WHERE id = :id", id=account.id)
        assert stored is not None
        if self.refusal is not None:
            raise self.refusal
        self.seen.append((stored["role"], dict(attributes)))


async def refresh(app: TestApp, token: str, request_id: str, **options: Any) -> Reply:
    """Refresh and return the reply."""
    body = {"refreshToken": token, "requestId": request_id.ljust(16, ".")}
    return await app.api.post("/auth/refresh", body, **options)


async def works(app: TestApp, user: User) -> bool:
    """Tell whether somebody's access token is good."""
    return (await app.api.as_(user).get("/me")).status == 200
