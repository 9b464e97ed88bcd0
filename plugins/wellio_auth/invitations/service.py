"""Invitations: how people get an account. The owner invites anybody, a coach their own clients.

Whether an address has an account is for the owner to know. A coach gets a link for any address,
and for an address with an account it is one that cannot be redeemed, in the same words as one that
was used or taken back. What remains is that a coach who redeems such a link themself sees it fail.
"""

from wellio import (
    Actor,
    Forbidden,
    Gone,
    NotFound,
    PageQuery,
    Row,
    Slice,
    Tx,
    Wellio,
    address_key,
    invalid,
    new_id,
)
from wellio_auth import events
from wellio_auth.accounts import store as account_store
from wellio_auth.accounts.models import NewAccount, is_active, is_coach
from wellio_auth.accounts.service import AccountExists, Accounts
from wellio_auth.config import AuthConfig
from wellio_auth.credentials.attempts import Attempts
from wellio_auth.credentials.digest import digest
from wellio_auth.credentials.judge import Judge
from wellio_auth.credentials.passwords import Passwords
from wellio_auth.mails.service import Mails
from wellio_auth.permissions import CREATE_INVITATIONS, MANAGE_INVITATIONS
from wellio_auth.sessions.models import Grant, Origin, SignedIn
from wellio_auth.sessions.service import Sessions

from . import store
from .links import InvitationLinks
from .models import NewInvitation, Redemption, SeenInvitation, Status


class UnusableInvitation(Gone):
    """410: unknown, expired, used, taken back, or for an address that has an account."""

    default_code = "invitation_unusable"

    def __init__(self) -> None:
        super().__init__("This invitation cannot be used any more; ask for a new one.")


class Invitations:
    """Makes, lists, takes back and redeems invitations."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._bus, self._clock = app.db, app.bus, app.service(Judge)
        self._ttl_ms = app.settings(AuthConfig).invitation_ttl_s * 1000
        self._accounts = app.service(Accounts)
        self._sessions = app.service(Sessions)
        self._attempts = app.service(Attempts)
        self._passwords = app.service(Passwords)
        self._links, self._mails = app.service(InvitationLinks), app.service(Mails)
        self._policies = app.policies
        settings = app.settings(AuthConfig)
        self._senders = app.limits.budget("invitations", settings.invitations_per_sender)
        self._addresses = app.limits.budget("invited", settings.invitations_per_address)

    async def create(self, actor: Actor, new: NewInvitation) -> SeenInvitation:
        """Invite somebody by mail: the owner anybody, a coach clients of their own.

        The answer holds the link too, and no later one does. What was open to the address, of those
        that the inviter sees, is taken back. In a practice of one, who it consists of looks after
        the client.

        Raises:
            Forbidden: A coach invites somebody else than a client of their own.
            Invalid: `coachId` is no coach's, or the invited person is no client.
            AccountExists: The owner invites an address that has an account.
            TooManyRequests: The inviter invited too many, or too many invited this address.
        """
        coach_id = await self._coach_of(actor, new)
        if actor.can(MANAGE_INVITATIONS) and await account_store.user_by_email(self._db, new.email):
            raise AccountExists
        self._senders.spend(actor.user_id)
        self._addresses.spend(address_key(new.email))
        row = await self._db.write(self._create, actor, new, coach_id)
        return self._seen(row, self._links.link(row["id"]))

    async def _coach_of(self, actor: Actor, new: NewInvitation) -> str | None:
        if not actor.can(MANAGE_INVITATIONS):
            if new.role != "client" or new.coach_id not in {None, actor.user_id}:
                raise Forbidden("A coach invites clients of their own.")
            return actor.user_id
        if new.coach_id is None:
            return await account_store.only_coach(self._db) if new.role == "client" else None
        if new.role != "client":
            raise invalid("/coachId", "not_a_client", "is for clients only")
        coach = await account_store.user_by_id(self._db, new.coach_id)
        if coach is None or not is_coach(coach):
            raise invalid("/coachId", "not_a_coach", "is no coach's account")
        return new.coach_id

    async def _create(self, tx: Tx, actor: Actor, new: NewInvitation, coach_id: str | None) -> Row:
        await self._require_inviter(tx, actor)
        for replaced in await store.delete_open(tx, new.email, _inviter(actor)):
            await self._tell_revoked(tx, actor, replaced)
        now, invitation_id = self._clock.now_ms(), new_id()
        values = {
            "id": invitation_id,
            "email": new.email,
            "role": new.role,
            "attributes": {"coachId": coach_id} if coach_id else {},
            "token_hash": digest(self._links.token(invitation_id)),
            "invited_by": actor.user_id,
            "expires_at": now + self._ttl_ms,
        }
        row = await store.insert_invitation(tx, values, now)
        created = events.InvitationCreated(invitation_id=invitation_id, actor_id=actor.user_id)
        await self._bus.publish(tx, created, note=new.role)
        await self._mails.enqueue_invitation(tx, invitation_id)
        return row

    async def _require_inviter(self, tx: Tx, actor: Actor) -> None:
        """Refuse who may not invite any more since a moment; their row is locked from here on."""
        user = await account_store.lock_user(tx, actor.user_id)
        held = self._policies.permissions_of(user["role"]) if user and is_active(user) else ()
        if not {CREATE_INVITATIONS, MANAGE_INVITATIONS} & actor.permissions <= {*held}:
            raise Forbidden

    async def list(self, actor: Actor, query: PageQuery) -> Slice[SeenInvitation]:
        """List one's invitations, the owner everybody's, the newest first."""
        found = await store.page(self._db, query, _inviter(actor))
        return Slice([self._seen(row) for row in found.rows], found.next_cursor)

    async def get(self, actor: Actor, invitation_id: str) -> SeenInvitation:
        """Read an invitation.

        Raises:
            NotFound: It is not there for this person.
        """
        row = await store.invitation_by_id(self._db, invitation_id, _inviter(actor))
        if row is None:
            raise NotFound
        return self._seen(row)

    async def revoke(self, actor: Actor, invitation_id: str) -> None:
        """Take back an invitation that was not used.

        Raises:
            NotFound: It was redeemed, or is not there for this person.
        """
        await self._db.write(self._revoke, actor, invitation_id)

    async def _revoke(self, tx: Tx, actor: Actor, invitation_id: str) -> None:
        if not await store.delete_invitation(tx, invitation_id, _inviter(actor)):
            raise NotFound
        await self._tell_revoked(tx, actor, invitation_id)

    async def _tell_revoked(self, tx: Tx, actor: Actor, invitation_id: str) -> None:
        event = events.InvitationRevoked(invitation_id=invitation_id, actor_id=actor.user_id)
        await self._bus.publish(tx, event)

    async def redeem(self, redemption: Redemption, origin: Origin) -> SignedIn:
        """Make the invited person's account and begin their first session.

        Who was to look after a client and may not any more does not; the owners are told.

        Raises:
            UnusableInvitation: The token is no good any more.
            Invalid: The password is too easy to guess.
            TooManyRequests: There were too many tries, or too many passwords are being worked on.
        """
        attempt = self._attempts.at_link(origin)
        token_hash = digest(redemption.token)
        row = await store.invitation_by_token(self._db, token_hash)
        if row is None or not self._is_pending(row):
            raise UnusableInvitation
        await self._passwords.require_strong(
            "/password", redemption.password, redemption.name, row["email"]
        )
        password_hash = await self._passwords.hash(redemption.password)
        account = NewAccount(row["email"], redemption.name, row["role"], password_hash)
        try:
            grant = await self._db.write(self._redeem, row, account, origin)
        except AccountExists as error:
            raise UnusableInvitation from error
        attempt.was_none()
        return self._sessions.answer(grant)

    async def _redeem(self, tx: Tx, found: Row, account: NewAccount, origin: Origin) -> Grant:
        attributes = store.attributes_of(found)
        is_alone = "coachId" in attributes and not await self._is_there(tx, attributes["coachId"])
        row = await store.lock_invitation(tx, found["id"])
        if row is None or not self._is_pending(row):
            raise UnusableInvitation
        if is_alone:
            del attributes["coachId"]
        user = await self._accounts.create(tx, account, attributes)
        user_id = user["id"]
        await store.mark_redeemed(tx, row["id"], user_id, self._clock.now_ms())
        redeemed = events.InvitationRedeemed(
            invitation_id=row["id"], user_id=user_id, actor_id=user_id
        )
        note = "without_coach" if is_alone else None
        await self._bus.publish(tx, redeemed, subject_id=user_id, note=note)
        if is_alone:
            await self._mails.enqueue_without_coach(tx, user_id)
        return await self._sessions.open(tx, user, origin)

    async def _is_there(self, tx: Tx, coach_id: str | None) -> bool:
        """Tell whether a coach may still look after somebody; until the commit that stays so.

        Accounts are locked before invitations, as by a change of their role.
        """
        coach = await account_store.lock_user(tx, coach_id) if coach_id else None
        return coach is not None and is_coach(coach)

    def _is_pending(self, row: Row) -> bool:
        return self._seen(row).status == "pending"

    def _seen(self, row: Row, link: str | None = None) -> SeenInvitation:
        has_expired = row["expires_at"] <= self._clock.now_ms()
        status: Status = "expired" if has_expired else "pending"
        if row["redeemed_at"] is not None:
            status = "redeemed"
        return SeenInvitation(row, status, store.attributes_of(row).get("coachId"), link)


def _inviter(actor: Actor) -> str:
    """Return whose invitations an actor sees; nothing stands for everybody's."""
    return "" if actor.can(MANAGE_INVITATIONS) else actor.user_id
