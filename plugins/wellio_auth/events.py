"""What happens to accounts and logins: facts that other plugins may subscribe to."""

from wellio import Event


class UserCreated(Event, name="user.created", about=("user", "user_id")):
    """An account was made, by set-up, invitation or command line."""

    user_id: str
    role: str


class UserUpdated(Event, name="user.updated", about=None):
    """The name or the role of an account changed; the audit log has a row for each of them."""

    user_id: str


class UserDisabled(Event, name="user.disabled", about=("user", "user_id")):
    """An account was switched off; its sessions have ended."""

    user_id: str


class UserEnabled(Event, name="user.enabled", about=("user", "user_id")):
    """An account was switched on again."""

    user_id: str


class LoggedIn(Event, name="auth.login", about=("session", "session_id")):
    """Somebody proved who they are, and a session began."""

    user_id: str
    session_id: str


class SessionRevoked(Event, name="auth.session_revoked", about=("session", "session_id")):
    """A session ended before its time.

    Attributes:
        reason: `logout`, `revoked`, `password_changed`, `disabled`, `erased`,
            `too_many_sessions`, or `refresh_token_reused`: then somebody else had a copy of a
            refresh token.
    """

    user_id: str
    session_id: str
    reason: str


class PasswordChanged(Event, name="auth.password_changed", about=("user", "user_id")):
    """Somebody changed their password; their other sessions have ended."""

    user_id: str


class InvitationCreated(Event, name="invitation.created", about=("invitation", "invitation_id")):
    """Somebody was invited."""

    invitation_id: str


class InvitationRevoked(Event, name="invitation.revoked", about=("invitation", "invitation_id")):
    """An invitation was taken back before it was used."""

    invitation_id: str


class InvitationRedeemed(Event, name="invitation.redeemed", about=("invitation", "invitation_id")):
    """An invitation became an account."""

    invitation_id: str
    user_id: str


EVENTS = (
    UserCreated,
    UserUpdated,
    UserDisabled,
    UserEnabled,
    LoggedIn,
    SessionRevoked,
    PasswordChanged,
    InvitationCreated,
    InvitationRevoked,
    InvitationRedeemed,
)
