"""The weekly note: by the clock a job for each coach, and in each job one mail."""

from wellio import Job, JobRun, Mail, Schedule, Tx, Wellio

from . import store
from .config import HelloConfig

WEEKLY = "hello.weekly"
MAIL = "hello.mail_week"
_WEEK_MS = 7 * 86_400_000


class WeeklyNotes:
    """Tells coaches how many wins their clients noted; the words stay where they are."""

    def __init__(self, app: Wellio) -> None:
        self._db, self._jobs, self._mail = app.db, app.jobs, app.mail
        self._settings = app.settings(HelloConfig)
        self._url = app.config.server.url

    def jobs(self) -> list[Job | Schedule]:
        """Return what runs by the clock, and what it has done."""
        settings = self._settings
        return [
            Schedule(WEEKLY, settings.weekly, self.begin, time_zone=settings.time_zone),
            Job(MAIL, self.send),
        ]

    async def begin(self, run: JobRun) -> None:
        """Have a mail sent to each coach whose clients noted something."""
        await self._db.write(self._begin, run)

    async def send(self, run: JobRun) -> None:
        """Write one mail, from what is true now; a coach who is gone gets none."""
        until = run.payload["until"]
        rows = await store.week(self._db, until - _WEEK_MS, until)
        week = next((row for row in rows if row["coach_id"] == run.payload["coachId"]), None)
        coach = await store.coach(self._db, run.payload["coachId"])
        if week is None or coach is None:
            return
        practice = await self._mail.letterhead()
        mail = Mail(
            to=coach["email"],
            subject=f"Wins of the week: {week['wins']}",
            text=f"Hello {coach['name']},\n\n"
            f"your clients noted wins this week: {week['wins']}, from {week['clients']} of them. "
            f"Read them here:\n\n{self._url}\n\n{practice.name}\n",
        )
        await self._mail.send(mail, key=run.id)

    async def _begin(self, tx: Tx, run: JobRun) -> None:
        for row in await store.week(tx, run.due_at - _WEEK_MS, run.due_at):
            about = {"coachId": row["coach_id"], "until": run.due_at}
            await self._jobs.enqueue(tx, MAIL, about)
        await run.finish(tx)  # with the mails' jobs or not at all: no coach hears of it twice
