"""Typed expressions: one JSON form for conditions, scores, rules, segments and filters.

    {"op": "gte", "args": [{"op": "sum", "args": [{"field": "q1"}, {"field": "q2"}]}, 10]}

An expression is checked once against a schema of fields (`Expression.check`), then evaluated in
Python (`evaluate`) or compiled to SQL (`to_sql`). Python, SQLite and Postgres give the same answer;
a property test holds them to it.

* **Types**: `number` (an IEEE double), `text`, `bool`, `instant` (milliseconds UTC), and as a field
  only `texts` (a list). Nothing is converted; a wrong type is found by the check.
* **Null** is SQL's: unknown. An operator gives null where an operand is null, unless it says
  otherwise, and a condition that is null does not hold.
* **Numbers** are read from a field as zero if they are closer to it than 2**-53, and as null
  beyond 2**53; an expression whose arithmetic could overflow on such numbers is refused. So nothing
  fails on data: dividing by zero gives null, and there is no infinity and no NaN.
* **Text** is compared by code points: case counts, accents count, nothing is normalised.
* **Sizes**: MAX_DEPTH levels, MAX_NODES parts.

`docs/expressions.md` has every operator with an example. `table.py` holds them, each with its
meaning in Python and in SQL side by side.
"""

from .expression import Expression
from .nodes import ExpressionField
from .wire import ExpressionJson

__all__ = ["Expression", "ExpressionField", "ExpressionJson"]
