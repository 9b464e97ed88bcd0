"""HTTP: typed endpoints on aiohttp, problem+json, OpenAPI, health and metrics."""

from .endpoint import ACTOR, Endpoint, Reply, created, endpoint, no_content

__all__ = ["ACTOR", "Endpoint", "Reply", "created", "endpoint", "no_content"]
