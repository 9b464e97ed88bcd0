"""The demo practice: made-up people, what their records say, and what they write to each other.

`wellio serve --demo` has them live two years through the same services that serve requests. Each
room is one part of that life: `people` (accounts), `records` (the practice) and `talks` (chat).
They reach the other plugins by their ports alone, so those know nothing of it.
"""

from collections.abc import Sequence

from wellio import DemoPart, Plugin, Wellio, __version__, hookimpl

__all__ = ["PLUGIN"]

PLUGIN = Plugin(
    name="demo",
    version=__version__,
    summary="The made-up practice of `wellio serve --demo`.",
    requires=("auth",),
    after=("practice", "chat"),
)


@hookimpl
def register_demo(app: Wellio) -> Sequence[DemoPart]:
    """Bring the people, their records and their conversations."""
    from .people.part import AccountsDemo
    from .records.part import PracticeDemo
    from .talks.part import ChatDemo

    return [AccountsDemo(app), PracticeDemo(app), ChatDemo(app)]
