"""What happens to accounts and logins: facts that other plugins may subscribe to."""

from wellio import Event


class UserCreated(Event, name="user.created"):
    """An account was made, by set-up, invitation or command line."""

    user_id: str
    role: str


class UserUpdated(Event, name="user.updated"):
    """The name or the role of an account changed."""

    user_id: str


class UserDisabled(Event, name="user.disabled"):
    """An account was switched off; its sessions have ended."""

    user_id: str


class UserEnabled(Event, name="user.enabled"):
    """An account was switched on again."""

    user_id: str


class LoggedIn(Event, name="auth.login"):
    """Somebody proved who they are, and a session began."""

    user_id: str
    session_id: str


class SessionRevoked(Event, name="auth.session_revoked"):
    """A session ended before its time.

    Attributes:
        reason: `logout`, `revoked`, `password_changed`, `disabled`, `erased`,
            `too_many_sessions`, or `refresh_token_reused`: then somebody else had a copy of a
            refresh token.
    """

    user_id: str
    session_id: str
    reason: str


class PasswordChanged(Event, name="auth.password_changed"):
    """Somebody changed their password; their other sessions have ended."""

    user_id: str


class InvitationCreated(Event, name="invitation.created"):
    """Somebody was invited."""

    invitation_id: str


class InvitationRevoked(Event, name="invitation.revoked"):
    """An invitation was taken back before it was used."""

    invitation_id: str


class InvitationRedeemed(Event, name="invitation.redeemed"):
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
