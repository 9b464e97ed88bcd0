"""What an operation is called, by method and path alone: `listClients`, `createClient`.

Code that is generated from the description has these names, so they depend on nothing that may be
renamed inside. An endpoint whose path makes no good one says its own (`Endpoint.name`).
"""

import re

from .endpoint import API_PREFIX

_VERBS = {
    "GET": "get",
    "POST": "create",
    "PUT": "put",
    "PATCH": "update",
    "DELETE": "delete",
}
_WORD = re.compile(r"[A-Za-z0-9]+")
#: A room of endpoints and no thing: `POST /auth/login` is `login`.
_ROOMS = frozenset({"auth"})


def operation_id(method: str, path: str, *, is_page: bool = False) -> str:
    """Name what a method does at a path.

    Args:
        method: The HTTP method.
        path: As the router has it, such as `/api/v1/clients/{id}`.
        is_page: Whether the answer is a page of a list.
    """
    parts = [part for part in path.removeprefix(API_PREFIX).split("/") if part]
    nouns = [
        _singular(part) if parts[at + 1 : at + 2] and parts[at + 1].startswith("{") else part
        for at, part in enumerate(parts)
        if not part.startswith("{")
    ]
    *around, last = nouns
    if method == "POST" and parts[-1] == last:
        if _singular(last) == last:  # no things but an act: `/invitations/redeem`
            of = [_singular(it) for it in around if it not in _ROOMS]
            return _camel([last, *of])
        nouns = [*around, _singular(last)]
    elif parts[-1].startswith("{") and parts[-2] == last:  # it has no plural: `/health/{plugin}`
        nouns = [*nouns, "of", parts[-1]]
    return _camel(["list" if is_page else _VERBS[method], *nouns])


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return f"{noun[:-3]}y"
    if re.search(r"(ch|sh|x|ss)es$", noun):
        return noun[:-2]
    return noun if noun.endswith("ss") else noun.removesuffix("s")


def _camel(words: list[str]) -> str:
    parts: list[str] = [part for word in words for part in _WORD.findall(word)]
    return parts[0].lower() + "".join(part[0].upper() + part[1:] for part in parts[1:])
