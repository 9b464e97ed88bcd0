"""Requests that no honest client sends, any number of them: the same ones for the same seed."""

import gzip
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from tests.attack.wire import request

_PARAMETER = re.compile(r"\{[^}]*\}")
_JUNK: Final = (b"\x00", b"\xff", b"%00", b"%", b"%zz", b"%c0%ae", b"\r", b"\n", b"\xc3\xa9", b" ")
_SURROGATES: Final = (rb"\ud800", rb"\udfff", rb"\ud800\ud800", rb"\udc00\ud800")
#: Values that a field of another type finds surprising.
VALUES: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 2**31, 2**53 + 1, 2**63, 10**30, 1.5, 1e308, -0.0, "", " ", "\x00", "0"),
    *([], {}, [[]], [None], {"": ""}, "a" * 5000, "\u202e", "\U0001f469\u200d", "null", "\x7f"),
    *("../../etc/passwd", "'; DROP TABLE auth_user; --", "{{7*7}}", "%s%n", "<script>", "=1+1"),
    *("2026-02-30", "9999-12-31T23:59:60Z", "0000-01-01", "-1", "1e5", "\ufeffa", "a\r\nB: c"),
)
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY")
_HEADERS: Final = (
    *(b"Authorization", b"Content-Type", b"Content-Length", b"Transfer-Encoding", b"Expect"),
    *(b"Host", b"Idempotency-Key", b"If-Match", b"If-None-Match", b"Range", b"Upgrade", b"Origin"),
    *(b"X-Request-Id", b"X-Forwarded-For", b"Forwarded", b"Accept", b"Cookie", b"Content-Encoding"),
    *(b"If-Modified-Since", b"Connection", b"Access-Control-Request-Method", b"Sec-WebSocket-Key"),
)


@dataclass(frozen=True, slots=True)
class Malformed:
    """One of them.

    Attributes:
        kind: What is wrong with it.
        data: Its bytes.
    """

    kind: str
    data: bytes


class Malformer:
    """Makes them of the description of an API."""

    def __init__(
        self, openapi: Mapping[str, Any], tokens: list[str], ids: list[str], seed: int
    ) -> None:
        """Begin.

        Args:
            openapi: The description.
            tokens: Access tokens that work.
            ids: Ids that something has.
            seed: Decides everything.
        """
        self._rng = random.Random(seed)  # noqa: S311 - reproducible, not secret
        self._schemas = openapi["components"]["schemas"]
        self._operations = [
            (method.upper(), path, operation)
            for path, methods in openapi["paths"].items()
            for method, operation in methods.items()
        ]
        self._writing = [it for it in self._operations if "requestBody" in it[2]]
        self._tokens, self._ids = tokens, ids
        self._kinds: list[Callable[[], Malformed]] = [
            *(self._body, self._body, self._fields, self._fields, self._fields),
            *(self._query, self._path, self._header, self._mutated, self._framing),
        ]

    def __iter__(self) -> Iterator[Malformed]:
        """Yield them without end."""
        while True:
            yield self._rng.choice(self._kinds)()

    # -- kinds

    def _body(self) -> Malformed:
        name, body = self._rng.choice(
            [
                ("random bytes", self._rng.randbytes(self._rng.randrange(300))),
                ("depth 100,000", self._rng.choice([b"[", b'{"a":']) * 100_000),
                ("closed depth", b"[" * 1_000 + b"]" * 1_000),
                ("NaN", b'{"name":%b}' % self._rng.choice([b"NaN", b"Infinity", b"-Infinity"])),
                ("10,000 names", _many_names(10_000)),
                ("a huge number", b'{"limit":' + b"9" * self._rng.randrange(1, 5000) + b"}"),
                ("lone surrogate", b'{"name":"%b"}' % self._rng.choice(_SURROGATES)),
                ("NUL", b'{"name":"%b"}' % self._rng.choice([b"\x00", rb"\u0000"])),
                ("bad UTF-8", b'{"name":"%b"}' % self._rng.choice([b"\xff", b"\xc0\x80", b"\xed"])),
                ("a name twice", b'{"name":"a","name":"b","content":1,"content":2}'),
                ("UTF-16", '{"name":"a"}'.encode("utf-16")),
                ("UTF-32", '{"name":"a"}'.encode("utf-32")),
                ("a byte order mark", b'\xef\xbb\xbf{"name":"a"}'),
                ("gzip", gzip.compress(b'{"name":"a"}')),
                ("nothing", b""),
                ("white space", b" \t\r\n" * 100),
                ("two values", b'{"name":"a"}{"name":"b"}'),
                ("a scalar", self._rng.choice([b"null", b"true", b'"a"', b"1", b"-", b"[]"])),
                ("cut off", b'{"name":"a'),
                ("1 MiB and more", b'{"name":"' + b"a" * 2**20 + b'"}'),
            ]
        )
        return self._send(f"body: {name}", self._rng.choice(self._writing), body)

    def _fields(self) -> Malformed:
        """A body that has the right fields, and in some of them what does not belong there."""
        operation = self._rng.choice(self._writing)
        schema = operation[2]["requestBody"]["content"]["application/json"]["schema"]
        body = json.dumps(self._filled(schema)).encode()  # escapes what is no ASCII
        return self._send("body: wrong fields", operation, body)

    def _query(self) -> Malformed:
        operation = self._rng.choice(self._operations)
        names = [it["name"] for it in operation[2]["parameters"] if it.get("in") == "query"]
        names += ["limit", "cursor", "", "a" * 100, "__proto__", "%00", "a[]", "a.b"]
        pairs = [
            b"%b=%b" % (_written(self._rng.choice(names)), self._text())
            for _ in range(self._rng.choice([1, 2, 5, 300]))
        ]
        return self._send("query", operation, b"{}", query=b"?" + b"&".join(pairs))

    def _path(self) -> Malformed:
        operation = self._rng.choice(self._operations)
        path = self._target(operation).encode()
        at = self._rng.randrange(len(path) + 1)
        junk = self._rng.choice([*_JUNK, b"/", b"//", b"/../", b"/./", b";a=b", b"\\", b"#", b"?"])
        path = path[:at] + junk * self._rng.choice([1, 2, 50]) + path[at:]
        prefix = self._rng.choice([b"", b"", b"http://xn--/", b"//", b"http://a:b@c", b"file:"])
        return self._send("path", operation, b"{}", path=prefix + path)

    def _header(self) -> Malformed:
        operation = self._rng.choice(self._operations)
        name = self._rng.choice(_HEADERS)
        value = self._rng.choice(
            [
                *(self._text(), b"", b"a" * 9000, b"\xff\xfe", b"a\x00b", b'"' * 500, b";" * 500),
                *(b",".join([b"a"] * 500), b"*", b"W/" * 100, b"bytes=0-,0-,0-", b"-1", b"1e9"),
                *(
                    b"application/json;" + b"(" * 5000,
                    b"chunked, chunked",
                    b"Bearer ",
                    b"Basic Og=",
                ),
            ]
        )
        lines = [name + b": " + value] * self._rng.choice([1, 1, 2, 70])
        return self._send(f"header: {name.decode()}", operation, b"{}", *lines)

    def _mutated(self) -> Malformed:
        """An honest request with some bytes changed, lost or doubled."""
        operation = self._rng.choice(self._operations)
        data = bytearray(self._send("", operation, b'{"name":"a"}').data)
        for _ in range(self._rng.choice([1, 2, 4, 16])):
            at = self._rng.randrange(len(data))
            match self._rng.randrange(4):
                case 0:
                    data[at] ^= 1 << self._rng.randrange(8)
                case 1:
                    del data[at : at + self._rng.randrange(1, 20)]
                case 2:
                    data[at:at] = data[at : at + self._rng.randrange(1, 200)]
                case 3:
                    data[at:at] = self._rng.choice(_JUNK)
            data = data or bytearray(b"\r\n")
        return Malformed("mutated", bytes(data))

    def _framing(self) -> Malformed:
        """A body that is not as long as it is said to be, or in chunks that are none."""
        method, _, _ = operation = self._rng.choice(self._writing)
        target, body = self._target(operation).encode(), b'{"name":"a"}'
        head = [b"Content-Type: application/json", self._credential()]
        if self._rng.random() < 0.4:
            length = self._rng.choice([0, 1, len(body) - 1, len(body) + 1, 2**20 + 1, 2**40])
            data = request(method, target, *head, body=body, length=length)
            return Malformed("framing: length", data)
        chunk = self._rng.choice(
            [
                *(b"c\r\n" + body, b"c\r\n" + body + b"\r\n", b"d\r\n" + body + b"\r\n0\r\n\r\n"),
                *(b"-1\r\n", b"zz\r\n", b"\r\n", b"c" * 20 + b"\r\n", b"0\r\n", b"0\r\n\r\n"),
                *(b"1\r\n{\r\n" * 1000, b"c;" + b"a" * 9000 + b"\r\n" + body, b"\x00\r\n"),
            ]
        )
        head.append(b"Transfer-Encoding: chunked")
        return Malformed("framing: chunks", request(method, target, *head) + chunk)

    # -- parts

    def _send(
        self,
        kind: str,
        operation: tuple[str, str, Any],
        body: bytes,
        *headers: bytes,
        path: bytes | None = None,
        query: bytes = b"",
    ) -> Malformed:
        method = operation[0] if self._rng.random() < 0.9 else self._rng.choice(_METHODS)
        target = (self._target(operation).encode() if path is None else path) + query
        lines = [*headers, self._credential()]
        if self._rng.random() < 0.95:
            lines.append(b"Content-Type: application/json")
        return Malformed(kind, request(method, target, *lines, body=body))

    def _target(self, operation: tuple[str, str, Any]) -> str:
        return _PARAMETER.sub(lambda _: self._id(), operation[1])

    def _id(self) -> str:
        if self._rng.random() < 0.7:
            return self._rng.choice(self._ids)
        random_id = str(UUID(int=self._rng.getrandbits(128)))
        return self._rng.choice([random_id, "a", "%00", "..", "1", "%ff", self._ids[0].upper()])

    def _credential(self) -> bytes:
        if self._rng.random() < 0.9:
            return b"Authorization: Bearer " + self._rng.choice(self._tokens).encode()
        return b"Authorization: " + self._rng.choice(
            [b"", b"Bearer", b"Bearer a.b.c", b"\xff", b"x"]
        )

    def _text(self) -> bytes:
        value = self._rng.choice(VALUES)
        return _written(value if isinstance(value, str) else json.dumps(value))

    def _filled(self, schema: Any) -> Any:
        while "$ref" in schema or "anyOf" in schema:
            if "$ref" in schema:
                schema = self._schemas[schema["$ref"].rpartition("/")[2]]
            else:
                schema = self._rng.choice(schema["anyOf"])
        if self._rng.random() < 0.25:
            return self._rng.choice(VALUES)
        if "properties" in schema:
            fields = {
                name: self._filled(it)
                for name, it in schema["properties"].items()
                if self._rng.random() < 0.9
            }
            return fields | ({"fieldOfNobody": 1} if self._rng.random() < 0.1 else {})
        if schema.get("type") == "array":
            return [self._filled(schema["items"]) for _ in range(3)]
        if "enum" in schema or "const" in schema:
            return self._rng.choice([*schema.get("enum", ()), schema.get("const")])
        of_its_type = {
            "boolean": True,
            "integer": self._rng.randrange(10),
            "uuid": self._rng.choice(self._ids),
            "email": f"somebody{self._rng.randrange(1000)}@target.example",
        }
        return of_its_type.get(schema.get("format", schema.get("type")), "some text of theirs")


def _many_names(count: int) -> bytes:
    return b"{" + b",".join(b'"n%d":%d' % (number, number) for number in range(count)) + b"}"


def _written(text: str) -> bytes:
    """Write text as it can stand in a query: some of it escaped, some of it as it is."""
    raw = text.encode("utf-8", "surrogatepass")
    return re.sub(rb"[\x00-\x20#&\x7f]", lambda match: b"%%%02x" % match[0][0], raw)
