"""One examination: what it is called, how it looks, and who asks it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from wellio.errors import WellioError
from wellio.observe.findings import Finding


@dataclass(frozen=True, slots=True)
class Examination:
    """One thing that an operator believes, and that is looked at instead.

    Attributes:
        name: What is looked at, such as `clock`; the finding has the same name.
        look: Looks, changes nothing, and returns what was found; None where there is nothing to
            look at. What it raises is a problem.
        is_brief: Whether it takes milliseconds: the start and `/health` ask no others.
        is_public: Whether `/health`, which everybody can read, says what was found; else it names
            `wellio doctor`.
        stops: Whether a problem stops the start.
    """

    name: str
    look: Callable[[], Awaitable[Finding | None]]
    is_brief: bool = True
    is_public: bool = False
    stops: bool = False


async def look(examinations: Sequence[Examination]) -> list[Finding]:
    """Ask examinations one after the other; return what was found, in their order."""
    return [found for one in examinations if (found := await _found(one)) is not None]


async def _found(examination: Examination) -> Finding | None:
    try:
        return await examination.look()
    except WellioError as error:
        return Finding(examination.name, "problem", str(error), "see the log of the server")


async def refuse(examinations: Sequence[Examination], kind: type[WellioError]) -> None:
    """Stop at the first problem with which nothing may start.

    Raises:
        WellioError: There is one; of the kind that was given.
    """
    for examination in examinations:
        found = await examination.look() if examination.stops else None
        if found is not None and found.status == "problem":
            raise kind(f"{found.detail}: {found.advice}")
