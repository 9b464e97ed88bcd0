"""Makes the accounts of the demo, as the command line and the invitations do."""

from typing import Final

from wellio_auth.ports import (
    ChangeAccounts,
    InvitePeople,
    MakeAccounts,
    NewAccount,
    NewInvitation,
    UserChange,
)

from wellio import Demo, DemoPerson, IfMatch, Wellio

from . import cast

_HOUR_MS: Final = 3_600_000


class PeopleDemo:
    """Everybody's account, one who was shut out, and invitations that wait."""

    def __init__(self, app: Wellio) -> None:
        self._db = app.db
        self._making = app.service(MakeAccounts)
        self._changing = app.service(ChangeAccounts)
        self._inviting = app.service(InvitePeople)
        self._password_hash = ""

    async def obstacle(self) -> str | None:
        """Tell whether somebody has an account already."""
        return "has accounts" if await self._making.is_set_up() else None

    def plan(self, demo: Demo) -> None:
        """Put the people into the demo, and plan when they get their accounts."""
        demo.people += cast.staff(demo)
        coaches = demo.having("coach") or demo.having("owner")
        demo.people += cast.clients(demo, coaches)
        owner = demo.people[0]
        by_key = {person.key: person for person in demo.people}
        for person in demo.people:
            demo.at(person.joins_at, self._join, demo, person, by_key)
            if leaves_at := person.facts.get("leaves_at"):
                demo.at(leaves_at, self._disable, demo, owner, person)
        for n, email in enumerate(cast.invited()):
            invited_at = demo.end_ms - (9 + 22 * n) * _HOUR_MS
            demo.at(invited_at, self._invite, demo, coaches[n % len(coaches)], email)

    async def _join(self, demo: Demo, person: DemoPerson, by_key: dict[str, DemoPerson]) -> None:
        # One hash for all: forty-six would take longer than two years of messages.
        if not self._password_hash:
            self._password_hash = await self._making.hash_password(demo.password)
        account = NewAccount(person.email, person.name, person.role, self._password_hash)
        coach = by_key.get(person.facts.get("coach", ""))
        attributes = {"coachId": coach.user_id} if coach else {}
        user = await self._db.write(self._making.admit, account, attributes)
        person.user_id = user["id"]

    async def _disable(self, demo: Demo, owner: DemoPerson, person: DemoPerson) -> None:
        change = UserChange(status="disabled")
        await self._changing.change(demo.actor(owner), person.user_id, change, IfMatch())
        person.can_sign_in = False

    async def _invite(self, demo: Demo, coach: DemoPerson, email: str) -> None:
        new = NewInvitation(email=email, role="client")
        await self._inviting.create(demo.actor(coach), new)
