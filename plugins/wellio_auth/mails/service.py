"""The mails of this plugin, as jobs: each is written when it is sent, from what is true then."""

from wellio import Job, JobRun, Mail, Tx, Wellio
from wellio_auth.accounts import store as account_store
from wellio_auth.accounts.models import is_active
from wellio_auth.credentials.digest import digest
from wellio_auth.credentials.judge import Judge
from wellio_auth.invitations import store as invitation_store
from wellio_auth.invitations.links import InvitationLinks

from . import letters

INVITATION = "auth.mail_invitation"
WITHOUT_COACH = "auth.mail_without_coach"
PASSWORD_CHANGED = "auth.mail_password_changed"  # noqa: S105 - the name of a job
REFRESH_TOKEN_REUSED = "auth.mail_refresh_token_reused"  # noqa: S105 - the same
API_KEY_CREATED = "auth.mail_api_key_created"
#: With the back-off of jobs about four days: as long as RFC 5321 (4.5.4.1) has senders try.
_ATTEMPTS = 120
_NOTICES = {
    PASSWORD_CHANGED: letters.password_changed,
    REFRESH_TOKEN_REUSED: letters.refresh_token_reused,
    API_KEY_CREATED: letters.api_key_created,
}


class Mails:
    """Has mails sent after the commit that wants them, and sends them."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._clock = app.db, app.service(Judge)
        self._jobs, self._mail = app.jobs, app.mail
        self._links = app.service(InvitationLinks)
        self._url = app.config.server.url

    def jobs(self) -> list[Job]:
        """Return the jobs that send."""
        return [
            Job(INVITATION, self._send_invitation, max_attempts=_ATTEMPTS),
            Job(WITHOUT_COACH, self._send_without_coach, max_attempts=_ATTEMPTS),
            *(Job(kind, self._send_notice, max_attempts=_ATTEMPTS) for kind in _NOTICES),
        ]

    async def enqueue_invitation(self, tx: Tx, invitation_id: str) -> None:
        """Have an invitation mailed to whom it is for."""
        await self._jobs.enqueue(tx, INVITATION, {"invitationId": invitation_id})

    async def enqueue_without_coach(self, tx: Tx, user_id: str) -> None:
        """Have the owners told that a client came, and that nobody looks after them."""
        for owner_id in await account_store.active_owners(tx):
            about = {"userId": owner_id, "clientUserId": user_id}
            await self._jobs.enqueue(tx, WITHOUT_COACH, about)

    async def enqueue_notice(self, tx: Tx, kind: str, user_id: str) -> None:
        """Have the holder of an account told of what just happened to it.

        Args:
            tx: The transaction in which it happened.
            kind: `PASSWORD_CHANGED`, `REFRESH_TOKEN_REUSED` or `API_KEY_CREATED`.
            user_id: The account.
        """
        await self._jobs.enqueue(tx, kind, {"userId": user_id, "at": self._clock.now_ms()})

    async def _send_invitation(self, run: JobRun) -> None:
        """Mail an invitation, unless it was used or taken back, or has expired."""
        row = await invitation_store.invitation_by_id(self._db, run.payload["invitationId"], "")
        if row is None or row["redeemed_at"] or row["expires_at"] <= self._clock.now_ms():
            return
        practice = await self._mail.letterhead()
        by_id = row["invited_by"]
        by = await account_store.user_by_id(self._db, by_id) if by_id else None
        inviter = by["name"] if by else None
        known = await account_store.user_by_email(self._db, row["email"])
        if known is None:
            link = await self._working_link(row["id"], row["token_hash"])
            content = letters.invitation(practice, inviter, link, row["expires_at"])
        elif is_active(known):
            content = letters.known_invitation(practice, inviter, self._url)
        else:
            return
        await self._send(row["email"], content, run)

    async def _working_link(self, invitation_id: str, token_hash: str) -> str:
        """Return the invitation's link, and see to it that it is the one that works."""
        new_hash = digest(self._links.token(invitation_id))
        if new_hash != token_hash:  # the master key is another than when the invitation was made
            await self._db.write(invitation_store.set_invitation_token, invitation_id, new_hash)
        return self._links.link(invitation_id)

    async def _send_notice(self, run: JobRun) -> None:
        """Mail a notice to an account that is still there and open."""
        user = await account_store.user_by_id(self._db, run.payload["userId"])
        if user is not None and is_active(user):
            practice = await self._mail.letterhead()
            content = _NOTICES[run.kind](practice, user["name"], self._url, run.payload["at"])
            await self._send(user["email"], content, run)

    async def _send_without_coach(self, run: JobRun) -> None:
        """Mail an owner about a client without a coach, while both are there."""
        found = [
            await account_store.user_by_id(self._db, run.payload[name])
            for name in ("userId", "clientUserId")
        ]
        owner, client = found
        if owner is not None and is_active(owner) and client is not None:
            practice = await self._mail.letterhead()
            content = letters.without_coach(practice, owner["name"], client["name"], self._url)
            await self._send(owner["email"], content, run)

    async def _send(self, to: str, content: tuple[str, str], run: JobRun) -> None:
        subject, text = content
        await self._mail.send(Mail(to=to, subject=subject, text=text), key=run.id)
