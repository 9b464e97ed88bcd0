"""kill -9 in the instant in which a mail server takes a mail: never lost, one duplicate at most.

The server's own hook kills the sender, so the moment is exact.
"""

from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from tests.core.boot.processes import serve
from tests.core.mail.post_office import post_office
from wellio.db import connect
from wellio.testing.engines import Databases, EngineName

OWNER = {"email": "owner@practice.example", "password": "one fine horse, two batteries"}


async def invite(url: str) -> None:
    async with aiohttp.ClientSession(f"{url}/api/v1/") as session:
        async with session.post("auth/login", json=OWNER) as response:
            token = (await response.json())["accessToken"]
        body = {"email": "new@example.com", "role": "coach"}
        headers = {"Authorization": f"Bearer {token}"}
        async with session.post("invitations", json=body, headers=headers) as response:
            assert response.status == 201


@pytest.mark.parametrize(
    "engine, killed_at, copies",
    [
        ("sqlite", "DATA", 2),
        ("postgres", "DATA", 2),
        pytest.param("sqlite", "RCPT", 1, marks=pytest.mark.prove),
        pytest.param("postgres", "RCPT", 1, marks=pytest.mark.prove),
    ],
)
@pytest.mark.timeout(120)
async def test_a_killed_senders_mail_arrives(
    wellio_databases: Callable[[EngineName, bool], Databases],
    tmp_path: Path,
    engine: EngineName,
    killed_at: str,
    copies: int,
) -> None:
    databases = wellio_databases(engine, True)
    database, data_dir = await databases.create()
    place = ("--data", str(data_dir), "--database-url", database)
    async with post_office() as office:
        env = {
            "WELLIO_MAIL__URL": office.url(),
            "WELLIO_SETUP__OWNER_EMAIL": OWNER["email"],
            "WELLIO_SETUP__OWNER_PASSWORD": OWNER["password"],
            "WELLIO_PLUGINS__AUTH__BCRYPT_COST": "10",
        }
        async with serve(tmp_path, *place, env=env) as server:

            async def kill(_: object) -> None:
                server.process.kill()  # and then the mail is taken, as if nothing was

            office.at[killed_at] = kill
            await invite(server.url)
            await server.ended()
        office.at.clear()
        async with serve(tmp_path, *place, env=env) as server:
            await office.wait_for(lambda: len(office.mails) == copies)
            assert await server.stop() == 0
        assert [mail.recipients for mail in office.mails] == [["new@example.com"]] * copies
        assert len({mail.message["Message-ID"] for mail in office.mails}) == 1
    db = await connect(database, data_dir=data_dir)
    assert await db.fetch_all("SELECT id FROM wellio_job WHERE kind LIKE 'auth.mail%'") == []
    await db.close()
    await databases.drop(database)
