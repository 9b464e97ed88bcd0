"""Why a mail did not leave: codes alone, for a server's words quote addresses and contents."""

from wellio.errors import WellioError
from wellio.jobs.jobs import GiveUp


class MailFailed(WellioError):
    """It could not be delivered now; the job tries again.

    Attributes:
        code: The server's reply code, such as `451 4.3.0`, or the name of what went wrong.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class MailRefused(GiveUp):
    """The server will never take this mail, for its recipient or its content; the job is dead."""
