"""What is cleaned up in chunks is cleaned up to its end, however many chunks that takes."""

import pytest
from wellio_auth.api_keys import store as key_store

from tests.plugins.auth.conftest import START_MS
from wellio import ManualClock, rfc3339
from wellio.testing import StartApp
from wellio.testing.plugin import MakeUser

pytestmark = pytest.mark.sqlite("the statements are prepared on both; how often they run is ours")

DAY_MS = 86_400_000
CHUNKS = (
    "wellio.events.outbox._TRIM_CHUNK",
    "wellio.http.idempotency._TRIM_CHUNK",
    "wellio_auth.sessions.service._EXPIRED",
)
OLD = {
    "auth_api_key": "expires_at <= :now",
    "auth_session": "expires_at <= :now",
    "wellio_event": "at < :now - 8 * 86400000",
    "wellio_idempotency": "expires_at <= :now",
}


async def test_more_than_one_chunk_is_cleaned_up(
    wellio_app: StartApp, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for constant in CHUNKS:
        monkeypatch.setattr(constant, 2)
    monkeypatch.setattr(key_store.delete_expired, "__defaults__", (2,))
    clock = ManualClock(START_MS)
    app = await wellio_app(clock=clock)
    for number in range(5):
        api = app.api.as_(await make_user("coach"))
        key = {"note": "k", "scopes": ["chat.read"], "expiresAt": rfc3339(START_MS + DAY_MS)}
        await api.post("/api-keys", key, status=201)
        once = {"Idempotency-Key": f"key {number}"}
        await api.post("/clients", {"name": f"Ida {number}"}, headers=once, status=201)
    await app.settled()

    async def left() -> dict[str, int]:
        now = clock.now_ms()
        counts = {}
        for table, old in OLD.items():
            sql = f"SELECT count(*) AS n FROM {table} WHERE {old}"
            [row] = await app.app.db.fetch_all(sql, now=now)
            counts[table] = row["n"]
        return counts

    clock.advance(400 * DAY_MS)
    assert min((await left()).values()) >= 5
    await app.settled()  # each schedule is due once
    assert await left() == dict.fromkeys(OLD, 0)
