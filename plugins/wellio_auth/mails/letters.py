"""What this plugin writes to people: subjects and texts, and nothing else.

What somebody calls themself comes after words of ours, and is no link.
"""

import re

from wellio import Letterhead, one_line


def invitation(
    practice: Letterhead, inviter: str | None, link: str, expires_at: int
) -> tuple[str, str]:
    """Invite somebody who has no account."""
    subject = _invites(practice, inviter)
    return (
        subject,
        f"""\
Hello,

{subject}. To choose a password and begin, open this link:

{link}

It works once, and until {practice.time(expires_at)}.

If you did not expect this, you need not do anything.

{practice.name}
""",
    )


def known_invitation(practice: Letterhead, inviter: str | None, url: str) -> tuple[str, str]:
    """Invite somebody who has an account: nobody else learns that they do."""
    subject = _invites(practice, inviter)
    return (
        subject,
        f"""\
Hello,

{subject}. You have an account there already, with this e-mail address. Sign in with it:

{url}

If you did not expect this, you need not do anything.

{practice.name}
""",
    )


def password_changed(practice: Letterhead, name: str, url: str, at: int) -> tuple[str, str]:
    """Tell somebody that their password is another now."""
    return (
        f"Your password at {practice.name} was changed",
        f"""\
Hello {_name(name)},

your password was changed on {practice.time(at)}. Your other devices were signed out.

If this was you, all is well.

If this was not you, somebody knew your password. Tell {practice.name} at once, so that your account
is closed to them: {url}

{practice.name}
""",
    )


def refresh_token_reused(practice: Letterhead, name: str, url: str, at: int) -> tuple[str, str]:
    """Tell somebody that a copy of one of their logins was used, and that it has ended."""
    return (
        f"One of your devices was signed out of {practice.name}",
        f"""\
Hello {_name(name)},

on {practice.time(at)} an outdated copy of one of your logins was used, so we ended that login.

If you put a device or a browser back from a backup just then, this was you: sign in again.

If this was not you, somebody may have copied data from your device. Sign in and change your
password, which signs out all other devices: {url}

{practice.name}
""",
    )


def api_key_created(practice: Letterhead, name: str, url: str, at: int) -> tuple[str, str]:
    """Tell somebody that a program can act in their name now."""
    return (
        f"An API key was made for you at {practice.name}",
        f"""\
Hello {_name(name)},

on {practice.time(at)} an API key was made in your name. A program that has it can do at
{practice.name} what the key allows, until you end it.

If this was you, all is well.

If this was not you, somebody was signed in as you. Have {practice.name} end the key, and change
your password, which signs out all other devices: {url}

{practice.name}
""",
    )


def without_coach(practice: Letterhead, name: str, client: str, url: str) -> tuple[str, str]:
    """Tell an owner of a client whose coach is none any more."""
    return (
        f"A new client of {practice.name} has no coach",
        f"""\
Hello {name},

{client} has accepted an invitation. Whoever was to look after them is no coach at {practice.name}
any more, so nobody does, and they have nobody to write to.

Give them a coach: {url}

{practice.name}
""",
    )


def _invites(practice: Letterhead, inviter: str | None) -> str:
    if inviter is None:
        return f"You are invited to {practice.name}"
    return f"You are invited to {practice.name} by {_name(inviter)}"


def _name(text: str) -> str:
    """Return a name in which no mail program finds an address to click on."""
    return re.sub(r"([.:\u3002\uff0e\uff61])(?=\S)", r"\1 ", one_line(text))
