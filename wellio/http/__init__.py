"""HTTP: typed endpoints on aiohttp, problem+json, OpenAPI, health and metrics.

`Http([HealthApi(...), *plugin_apis], ...)` makes the application, `Runner` serves it.
"""

from .assembly import Http
from .auth import Authentication
from .call import call
from .core_status import core_checks, count_socket_events, measure_core
from .cors import Origins
from .dashboard import DashboardApi
from .endpoint import ACTOR, Endpoint, Reply, created, endpoint, no_content
from .etag import IF_MATCH, IfMatch
from .gateway_rules import GatewayRules
from .health import Check, HealthApi
from .idempotency import Idempotency
from .metrics import MetricsApi
from .remote import REMOTE, Proxies, network_of
from .runner import Runner

__all__ = [
    "ACTOR",
    "IF_MATCH",
    "REMOTE",
    "Authentication",
    "Check",
    "DashboardApi",
    "Endpoint",
    "GatewayRules",
    "HealthApi",
    "Http",
    "Idempotency",
    "IfMatch",
    "MetricsApi",
    "Origins",
    "Proxies",
    "Reply",
    "Runner",
    "call",
    "core_checks",
    "count_socket_events",
    "created",
    "endpoint",
    "measure_core",
    "network_of",
    "no_content",
]
