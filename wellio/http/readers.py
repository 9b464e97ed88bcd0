"""Which API keys are shown what a write answers with: those that could read it as well.

A key may change things that it may not read. Which permission shows a model is said by the GETs
that answer with it, so a plugin declares nothing for this: a key that may call none of those is
told the `id` of what it wrote (`Endpoint.told`), and an `If-Match` of it is held against no more.
"""

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

from aiohttp import hdrs
from pydantic import BaseModel

from .answers import is_page
from .route import Route


def find_readers(routes: Sequence[Route]) -> None:
    """Tell every route that writes which scopes show what it answers with."""
    reading = [
        (model, route.scope)
        for route in routes
        if route.endpoint.method == hdrs.METH_GET and not route.endpoint.public
        for model in _models(route.endpoint.returns)
    ]
    for route in routes:
        if route.endpoint.method == hdrs.METH_GET:
            continue
        answered = list(_models(route.endpoint.returns))
        scopes = [
            scope for model, scope in reading if any(issubclass(it, model) for it in answered)
        ]
        if scopes:
            route.readers = frozenset(scope for scope in scopes if scope is not None)


def _models(returns: Any) -> Iterator[type[BaseModel]]:
    """Find the models that an endpoint answers with: one, those of a union, those on a page."""
    if is_page(returns):
        (returns,) = get_args(returns.model_fields["items"].annotation)
    if get_origin(returns) in {Union, UnionType}:
        for part in get_args(returns):
            yield from _models(part)
    elif isinstance(returns, type) and issubclass(returns, BaseModel):
        yield returns
