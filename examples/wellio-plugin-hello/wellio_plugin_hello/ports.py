"""What other plugins may ask of wins, by `app.service(CountWins)`."""

from typing import Protocol

from .models import Tally

__all__ = ["CountWins", "Tally"]


class CountWins(Protocol):
    """Counts wins. Whether the actor may see the client is for who calls it to make sure of."""

    async def count(self, client_id: str) -> Tally:
        """Say how many wins a client has, and what that earned."""
