"""A statement in an engine's own words, and how its parameters are handed to the driver."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from wellio.errors import DatabaseError

#: So many rows are written out: each number of them is a statement of its own to SQLite.
MOST_VALUES: Final = 64
_IN_ROWS: Final = frozenset({type(None), bool, int, float, str})
RowOfValues = Mapping[str, Any] | tuple[Any, ...]


class StatementError(DatabaseError):
    """A statement, or the parameters given to it, are wrong: always a programmer's mistake."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement in an engine's own words.

    Attributes:
        text: What the driver gets.
        names: Its parameters; on Postgres in the order of `$1`, `$2` ...
        required: The same as a set.
        as_json: Those that travel as JSON text: lists on SQLite, rows on both.
        columns: Those that are rows, with their columns.
        binary: Those of the rows that have columns of bytes, with these.
        is_locking: Whether it locks the rows that it reads; on SQLite too, where nobody else
            writes meanwhile and the word for it is empty.
        written_out: Returns SQLite's text with so many rows of each as values and `?` for each
            value, and the names of the parameters in the order of their appearance.
    """

    text: str
    names: tuple[str, ...]
    required: frozenset[str]
    as_json: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    binary: Mapping[str, tuple[str, ...]]
    is_locking: bool
    written_out: Callable[[tuple[int, ...]], tuple[str, tuple[str, ...]]]

    def for_sqlite(self, params: Mapping[str, Any]) -> tuple[str, Mapping[str, Any] | list[Any]]:
        """Return the text and its parameters; few rows are values, which JSON costs thrice."""
        if params.keys() != self.required:
            raise self._mismatch(params)
        if self.columns:
            counts = tuple(len(params[name]) for name in self.columns)
            if min(counts) > 0 and max(counts) <= MOST_VALUES:
                text, names = self.written_out(counts)
                return text, self._values(names, params)
            for name in self.binary:
                if len(params[name]) > MOST_VALUES:
                    raise StatementError(f"{{rows {name}}} has bytes, and too many rows")
        return self.text, self._with_json(params)

    def positional(self, params: Mapping[str, Any]) -> list[Any]:
        """Return the parameters in the order of `$n`, as Postgres takes them."""
        if params.keys() != self.required:
            raise self._mismatch(params)
        params = self._with_json(params)
        return [params[name] for name in self.names]

    def _with_json(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self.as_json:
            return params
        as_json = {name: params[name] for name in self.as_json}
        for name, columns in self.columns.items():
            for row in params[name]:
                self._check(name, row)
            as_json[name] = [
                dict(zip(columns, row, strict=True)) if isinstance(row, tuple) else row
                for row in params[name]
            ]
        return {**params, **{name: _json(value) for name, value in as_json.items()}}

    def _values(self, names: Sequence[str], params: Mapping[str, Any]) -> list[Any]:
        """Return what stands for each `?`."""
        values: list[Any] = []
        for name in names:
            if name in self.columns:
                columns = self.columns[name]
                cells = [cell for row in params[name] for cell in _cells(row, columns)]
                if not _IN_ROWS.issuperset(map(type, cells)):
                    for row in params[name]:
                        self._check(name, row)
                values += cells
            else:
                values.append(_json(params[name]) if name in self.as_json else params[name])
        return values

    def _check(self, name: str, row: RowOfValues) -> None:
        """Refuse what one engine, or one of SQLite's ways, would take for something else."""
        binary = self.binary.get(name, ())
        for column, cell in zip(self.columns[name], _cells(row, self.columns[name]), strict=True):
            type_ = type(cell)
            if type_ not in _IN_ROWS and not (type_ is bytes and column in binary):
                raise StatementError(
                    f"{{rows {name}}} holds None, bool, int, float and str alone, or bytes in a "
                    "column of theirs"
                )

    def _mismatch(self, params: Mapping[str, Any]) -> StatementError:
        missing = sorted(self.required - params.keys())
        unused = sorted(params.keys() - self.required)
        return StatementError(
            f"parameters do not match: missing {missing}, unused {unused}, in: {self.text}"
        )


def _cells(row: RowOfValues, columns: Sequence[str]) -> Iterable[Any]:
    return row if isinstance(row, tuple) else map(row.get, columns)


def _json(value: Any) -> str:
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> Any:
    """Return bytes as Postgres reads them in a text, and any other collection as a list."""
    return f"\\x{value.hex()}" if isinstance(value, bytes) else list(value)
