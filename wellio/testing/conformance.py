"""Holds answers against the API's own description; the test client does it with every answer.

Test sockets do the same with every event and acknowledgement.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import jsonschema
import orjson
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from wellio.clock import parse_rfc3339
from wellio.http.openapi import TOLD

_URI = "urn:wellio:openapi"
_PROBLEM = {"$ref": f"{_URI}#/components/schemas/Problem"}
_FORMATS = jsonschema.FormatChecker(formats=("uuid", "date", "email"))
_FORMATS.checks("date-time", raises=ValueError)(
    lambda text: not isinstance(text, str) or parse_rfc3339(text) is not None
)


class Answer(Protocol):
    """What came back."""

    @property
    def status(self) -> int:
        """Return the status code."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers, by any case of their names."""

    @property
    def content(self) -> bytes:
        """Return the body."""


class Conformance:
    """Checks answers against an OpenAPI 3.1 description."""

    def __init__(self, openapi: Mapping[str, Any]) -> None:
        """Read the description.

        Args:
            openapi: What `/openapi.json` holds.
        """
        self._openapi = openapi
        self._sockets = openapi.get("x-socket-events") or {"client": {}, "server": {}}
        resource = DRAFT202012.create_resource(openapi)
        self._registry: Registry[Any] = Registry().with_resource(_URI, resource)
        self._validators: dict[str, jsonschema.Draft202012Validator] = {}
        # Literal parts before parameters: `/clients/me` is not `/clients/{id}`.
        templates = sorted(openapi["paths"], key=lambda path: path.replace("{", "\U0010ffff"))
        self._paths = [(_pattern(template), template) for template in templates]

    def __call__(
        self, method: str, path: str, answer: Answer, /, *, is_documented: bool = False
    ) -> None:
        """Check one answer.

        Args:
            method: The request's method.
            path: Its path, from the root.
            answer: What came back.
            is_documented: Whether the path has to be one of the description.

        Raises:
            AssertionError: The description does not announce such an answer.
        """
        what = f"{method} {path}: {answer.status}"
        template = self._template(path.partition("?")[0])
        if template is None:
            assert not is_documented, f"{what}: there is no such route"
            assert answer.status in {400, 404}, f"{what}: the path is not documented"
            self._check(what, answer, "application/problem+json", _PROBLEM)
            return
        operations = self._openapi["paths"][template]
        operation = operations.get("get" if method == "HEAD" else method.lower())
        if operation is None:
            assert answer.status in {204, 400, 405}, f"{what}: the method is not documented"
            assert "Allow" in answer.headers or answer.status == 400, f"{what}: no Allow"
            return
        pointer = f"#/paths/{_escaped(template)}/{method.lower()}/responses/{answer.status}"
        response = operation["responses"].get(str(answer.status))
        assert response is not None, f"{what}: the status is not documented"
        if "$ref" in response:
            pointer = response["$ref"]
            response = self._openapi["components"]["responses"][pointer.rpartition("/")[2]]
        for name in response.get("headers", ()):
            if self._openapi["components"]["headers"][name].get("required"):
                assert name in answer.headers, f"{what}: no {name}"
        content = response.get("content")
        if not content or method == "HEAD":
            assert not answer.content, f"{what}: a body, and none is documented"
            return
        [(media_type, media)] = content.items()
        schema = media.get("schema", {}) and {
            "$ref": f"{_URI}{pointer}/content/{_escaped(media_type)}/schema"
        }
        told = operation.get(TOLD, ())
        if told and answer.status < 300 and _is_told_alone(answer.content, told):
            return
        self._check(what, answer, media_type, schema)

    def event(self, name: str, data: Any) -> list[str]:
        """Return what is wrong with an event that the server sent."""
        if name not in self._sockets["server"]:
            return [f"the server sends {name}, and no @emits declares it"]
        return self._faults(f"the event {name}", f"server/{name}/data", data)

    def ack(self, name: str, data: Any) -> list[str]:
        """Return what is wrong with the acknowledgement of an event that a client sent."""
        if name in self._sockets["client"]:
            return self._faults(f"the acknowledgement of {name}", f"client/{name}/ack", data)
        schema = {"$ref": f"{_URI}#/components/schemas/Refusal"}
        is_refused = self._validator(schema).is_valid(data)
        return [] if is_refused else [f"{name} is answered, and nobody declares it"]

    def _faults(self, what: str, place: str, data: Any) -> list[str]:
        validator = self._validator({"$ref": f"{_URI}#/x-socket-events/{place}"})
        return [
            f"{what} is not as declared: {fault.json_path}: {fault.message}"
            for fault in validator.iter_errors(data)
        ]

    def _template(self, path: str) -> str | None:
        return next((t for pattern, t in self._paths if pattern.fullmatch(path)), None)

    def _check(self, what: str, answer: Answer, media_type: str, schema: Any) -> None:
        given = answer.headers.get("Content-Type", "").partition(";")[0]
        assert media_type in {given, "*/*"}, f"{what}: {given} instead of {media_type}"
        if not media_type.endswith("json"):
            return
        try:
            data = orjson.loads(answer.content)
        except orjson.JSONDecodeError as error:
            raise AssertionError(f"{what}: the body is no JSON") from error
        wrong = [
            f"{fault.json_path}: {fault.message}"
            for fault in self._validator(schema).iter_errors(data)
        ]
        assert not wrong, f"{what} is not as documented\n" + "\n".join(wrong)

    def _validator(self, schema: Any) -> jsonschema.Draft202012Validator:
        key = schema.get("$ref", "")
        if key not in self._validators:
            self._validators[key] = jsonschema.Draft202012Validator(
                schema, registry=self._registry, format_checker=_FORMATS
            )
        return self._validators[key]


def _is_told_alone(content: bytes, names: Sequence[str]) -> bool:
    """Tell whether an answer is what an API key gets that may not read the object."""
    data = orjson.loads(content)
    return isinstance(data, dict) and bool(data) and data.keys() <= set(names)


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{[^}]*\}", template)
    return re.compile("[^/]+".join(map(re.escape, parts)))


def _escaped(part: str) -> str:
    """Write a part of a JSON pointer as it stands in an address."""
    return quote(part.replace("~", "~0").replace("/", "~1"), safe="~")
