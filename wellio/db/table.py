"""A table that is one model's: what is plain about it is said once, its SQL made at import.

    TAGS = Table("practice_tag", Tag, "name_key", "version int", order=["name_key"])

Its columns are the model's fields and some further ones. A field's type says how a value is stored
(`columns.py`): an `Instant` as milliseconds, a date as ISO text, a dict, list or model as JSON.
Values go in as the models hold them, rows come out as the database has them, and `wire` makes JSON
of them. There are no joins, relations, filters or hooks: what is not plain is SQL by hand, and the
answer to a join is `TAGS.select + "JOIN ..."`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from pydantic import BaseModel

from wellio.access.policy import Fragment
from wellio.errors import NotFound, PluginError
from wellio.ids import new_id
from wellio.wire import PageQuery, decode_cursor, encode_cursor

from .base import Database, Row, Tx
from .columns import SHOWN, is_same, kind_of_field, stored
from .statement import StatementError

if TYPE_CHECKING:
    from wellio.http.etag import IfMatch

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A part of a list, as services return it; `next_cursor` is None at the end."""

    rows: Sequence[T]
    next_cursor: str | None

    @classmethod
    def of(cls, rows: Sequence[T], limit: int, cursor_of: Callable[[T], str]) -> Self:
        """Make one of up to `limit + 1` rows: one more than `limit` tells that there are more."""
        shown = rows[:limit]
        return cls(shown, cursor_of(shown[-1]) if len(rows) > limit else None)


@dataclass(frozen=True, slots=True)
class Change:
    """A row before and after, both as the database has them, and the columns that differ.

    `version` and `updated_at` are not among those, and where there are none nothing was written.
    """

    before: Row
    after: Row
    changed: tuple[str, ...]


class Table:
    """A table of one model's rows, with an `id` of text.

    Attributes:
        name: Its name.
        select: `SELECT t.id, t.name, ... FROM <name> AS t `, for a JOIN or WHERE to follow.
    """

    def __init__(
        self,
        name: str,
        model: type[BaseModel],
        *further: str,
        order: Sequence[str],
        descending: bool = False,
    ) -> None:
        """Make its statements.

        Args:
            name: `<plugin>_<noun>`.
            model: What its rows are on the wire; each field is a column.
            further: Columns that are not shown: `name_ci`, or with a kind where it is no text,
                `int`, `float`, `bool`, `json`. `created_at` and `updated_at` are kept by this
                class, in the model or here, and so is `version`, which a change counts up.
            order: Columns by which a page is ordered, none of them ever null. `id` comes last,
                so that no two rows are equal.
            descending: The greatest comes first.

        Raises:
            PluginError: A field is of a type that no column holds, or the order cannot be one.
        """
        self.name = name
        try:
            fields = {it: kind_of_field(field) for it, field in model.model_fields.items()}
        except ValueError as error:
            raise PluginError(f"{name}: {error}; such a field is no part of a record") from None
        kinds = {it: kind for it, (kind, _) in fields.items()}
        for column in further:
            it, _, kind = column.partition(" ")
            kinds[it] = kind or "text"
        self._kinds, self._order = kinds, tuple(dict.fromkeys((*order, "id")))
        if "id" not in kinds or any(
            it not in kinds or fields.get(it, ("", False))[1] for it in self._order
        ):
            raise PluginError(f"{name} has no id, or no column that is never null in its order")
        self._wire = tuple(
            (field.serialization_alias or it, it, SHOWN.get(kinds[it]))
            for it, field in model.model_fields.items()
        )
        self._write_statements(*(("<", " DESC") if descending else (">", "")))

    def _write_statements(self, behind: str, direction: str) -> None:
        name, every = self.name, ", ".join(self._kinds)
        self._given = tuple(column for column in self._kinds if column != "version")
        assigned = [f"{column} = :{column}" for column in self._given if column != "id"]
        if "version" in self._kinds:
            assigned.append("version = version + 1")
        keys = ", ".join(f"t.{column}" for column in self._order)
        after = ", ".join(f":after_{column}" for column in self._order)
        by = ", ".join(f"t.{column}{direction}" for column in self._order)
        self.select = f"SELECT {', '.join(f't.{it}' for it in self._kinds)} FROM {name} AS t "
        self._read = self.select + "WHERE t.id = :id"
        self._lock = self._read + " {for_update}"
        self._behind = f" AND ({keys}) {behind} ({after})"
        self._ordered = f" ORDER BY {by} LIMIT :page_limit"
        values = ", ".join(f":{column}" for column in self._given)
        self._insert = (
            f"INSERT INTO {name} ({', '.join(self._given)}) VALUES ({values}) RETURNING {every}"
        )
        self._update = f"UPDATE {name} SET {', '.join(assigned)} WHERE id = :id RETURNING {every}"
        self._delete = f"DELETE FROM {name} WHERE id = :id"

    async def read(self, db: Database | Tx, row_id: str) -> Row:
        """Return one row.

        Raises:
            NotFound: There is none.
        """
        return _found(await db.fetch_one(self._read, id=row_id))

    async def lock(self, tx: Tx, row_id: str) -> Row:
        """Return one row, which nobody else changes until this transaction ends.

        Raises:
            NotFound: There is none.
        """
        return _found(await tx.fetch_one(self._lock, id=row_id))

    async def page(
        self, db: Database | Tx, query: PageQuery, where: Fragment | None = None
    ) -> Slice[Row]:
        """Return a part of the rows for which a condition holds, where the table is `t`.

        Raises:
            Invalid: The cursor is none of this list.
        """
        sql = self.select + "WHERE " + (f"({where.sql})" if where else "TRUE")
        params = {**(where.params if where else {}), "page_limit": query.limit + 1}
        if query.cursor is not None:
            are_numbers = (self._kinds[it] in {"int", "instant"} for it in self._order)
            keys = decode_cursor(query.cursor, *(int if it else str for it in are_numbers))
            sql += self._behind
            params |= {f"after_{it}": key for it, key in zip(self._order, keys, strict=True)}
        rows = await db.fetch_all(sql + self._ordered, **params)
        return Slice.of(
            rows, query.limit, lambda row: encode_cursor(*(row[it] for it in self._order))
        )

    async def insert(self, tx: Tx, values: Mapping[str, Any], *, now: int) -> Row:
        """Store a row and return it.

        `id`, `created_at` and `updated_at` (`now`, in ms) are made unless they are given, and
        `version` is the database's default; what else is not given is null.

        Raises:
            ConstraintViolation: A constraint refused it.
        """
        given = {"id": new_id(), "created_at": now, "updated_at": now, **self._stored(values)}
        params = {column: given.get(column) for column in self._given}
        return _found(await tx.fetch_one(self._insert, **params))

    async def change(
        self,
        tx: Tx,
        row_or_id: Row | str,
        values: Mapping[str, Any],
        if_match: "IfMatch | None" = None,
        *,
        now: int,
    ) -> Change:
        """Change the columns that are given; nothing is written where each is so already.

        Args:
            tx: The transaction.
            row_or_id: An id, or the row that `lock` returned in this transaction.
            values: By column.
            if_match: On which states of the row, as the route's `wire` shows it, the caller
                insists. Where people see more than the row, lock it and check that first, and give
                none here.
            now: The time, in ms.

        Raises:
            NotFound: There is no such row.
            PreconditionFailed: It is in another state than the caller insists on.
            ConstraintViolation: A constraint refused the change.
        """
        before = await self.lock(tx, row_or_id) if isinstance(row_or_id, str) else row_or_id
        if if_match is not None:
            if_match.check(tx, before)
        new = self._stored(values)
        if not self._differing(before, new, new):
            return Change(before, before, ())
        old = {column: before[column] for column in self._given}
        params = {**old, **({"updated_at": now} if "updated_at" in old else {}), **new}
        after = _found(await tx.fetch_one(self._update, **params))
        return Change(before, after, self._differing(before, after, self._given))

    async def delete(self, tx: Tx, row_id: str) -> None:
        """Delete a row.

        Raises:
            NotFound: There is none.
            ConstraintViolation: A row of another table needs it.
        """
        if not await tx.execute(self._delete, id=row_id):
            raise NotFound

    def wire(self, row: Row) -> dict[str, Any]:
        """Return a row as its model stands on the wire."""
        return {
            name: value if (value := row[column]) is None or shown is None else shown(value)
            for name, column, shown in self._wire
        }

    def _stored(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if unknown := values.keys() - set(self._given):
            raise StatementError(f"{self.name} has no columns {sorted(unknown)} to write")
        return {it: stored(self._kinds[it], value) for it, value in values.items()}

    def _differing(
        self, one: Row, other: Row | Mapping[str, Any], columns: Iterable[str]
    ) -> tuple[str, ...]:
        return tuple(
            it
            for it in columns
            if it != "updated_at" and not is_same(self._kinds[it], one[it], other[it])
        )


def _found(row: Row | None) -> Row:
    if row is None:
        raise NotFound
    return row
