"""`wellio hello recount`."""

from typing import Any

from wellio import Cli, NoArguments, Wellio

from . import store


async def recount(app: Wellio, _: NoArguments) -> dict[str, Any]:
    """Count every client's wins anew."""
    clients = await store.clients(app.db)
    for client_id in clients:
        await app.db.write(store.recount, client_id)
    return {"clients": len(clients)}


def register(cli: Cli) -> None:
    """Add this plugin's command."""
    cli.operation("hello recount", recount, arguments=NoArguments)
