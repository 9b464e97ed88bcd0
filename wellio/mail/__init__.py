"""Mail: what plugins write to people, out through `[mail] url` or into a folder.

    async def remind(run: JobRun) -> None:          # an ordinary job: its payload holds ids
        session = await store.session(app.db, run.payload["sessionId"])
        if session is not None:                     # what is true now counts
            practice = await app.mail.letterhead()
            text = f"See you at {practice.time(session.starts_at)}."
            await app.mail.send(Mail(to=session.email, subject="...", text=text), key=run.id)

A mail is written when it is sent, so no row, event or log holds its text; nor a link's token, which
is an HMAC of the link's id that the job makes again.
"""

from .errors import MailFailed, MailRefused
from .letterhead import Letterhead
from .mailbox import Mailbox
from .mailer import Mailer
from .message import Mail

__all__ = ["Letterhead", "Mail", "MailFailed", "MailRefused", "Mailbox", "Mailer"]
