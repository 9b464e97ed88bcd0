"""HTTP: typed endpoints on aiohttp, problem+json, OpenAPI, health and metrics.

`Http([HealthApi(...), *plugin_apis], ...)` makes the application, `Runner` serves it.
"""

from .assembly import Http
from .auth import Authentication
from .dashboard import DashboardApi
from .endpoint import ACTOR, Endpoint, Reply, created, endpoint, no_content
from .exposition import MetricsApi
from .health import Check, HealthApi
from .idempotency import Idempotency
from .runner import Runner
from .vitals import core_checks, count_socket_events, measure_core

__all__ = [
    "ACTOR",
    "Authentication",
    "Check",
    "DashboardApi",
    "Endpoint",
    "HealthApi",
    "Http",
    "Idempotency",
    "MetricsApi",
    "Reply",
    "Runner",
    "core_checks",
    "count_socket_events",
    "created",
    "endpoint",
    "measure_core",
    "no_content",
]
