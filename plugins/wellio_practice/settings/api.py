"""REST: the practice's settings."""

from collections.abc import Sequence
from typing import Any

from wellio import Wellio, call

from .models import Practice
from .service import SettingsService


def _shown(settings: Practice) -> dict[str, Any]:
    return settings.model_dump(by_alias=True)


def routes(app: Wellio) -> Sequence[object]:
    """Serve `/practice`."""
    settings = app.service(SettingsService)
    return [
        call(
            "GET",
            "/practice",
            settings.read,
            returns=Practice,
            wire=_shown,
            scope="*",
            signed_in=True,
        ),
        call(
            "PATCH",
            "/practice",
            settings.change,
            returns=Practice,
            wire=_shown,
            permission="practice.manage",
        ),
    ]
