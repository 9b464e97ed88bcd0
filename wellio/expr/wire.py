"""The wire's type of an expression: what endpoints declare, and what `/openapi.json` shows.

The description has a model for each operator, told apart by `op`. They only describe: the form is
read by `Reader`, which names every fault by its own pointer, as a union of models cannot.
"""

from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    RootModel,
    ValidationError,
    create_model,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from wellio.wire import Instant, Text, Wire

from .literal import MAX_TEXT
from .nodes import LARGEST
from .operator import MANY, Operator
from .reader import Reader
from .table import OPERATORS

_Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
_Text = Annotated[Text, Field(max_length=MAX_TEXT)]


class ExpressionOfField(Wire):
    """The value of a field."""

    field: str


class ExpressionOfInstant(Wire):
    """An instant, or `now`."""

    instant: Literal["now"] | Instant


class ExpressionBand(Wire):
    """A band of a score: from a number to the next band."""

    start: Annotated[_Number, Field(alias="from")]
    label: _Text


def _read(form: Any, _describing: Any) -> Any:
    """Return a form as it came if it is well-formed.

    Raises:
        ValidationError: It holds every fault with its place.
    """
    reader = Reader()
    reader.read(form)
    if reader.faults:
        raise ValidationError.from_exception_data(
            "Expression",
            [
                InitErrorDetails(
                    type=PydanticCustomError(fault.code, fault.message), loc=fault.at, input=None
                )
                for fault in reader.faults
            ],
        )
    return form


def _model(operator: Operator) -> type[BaseModel]:
    """Make the model that describes the use of an operator."""
    count = Field(min_length=operator.least, max_length=operator.most)
    members: dict[str, Any] = {
        "op": (Literal[operator.name], ...),
        "args": ("list[Expression]", count),
    }
    if operator.option == "minAnswered":
        members["min_answered"] = (Annotated[int | None, Field(ge=1, le=MANY)], None)
    elif operator.option == "bands":
        length = Field(min_length=1, max_length=MANY)
        members["bands"] = (Annotated[list[ExpressionBand], length], ...)
    name = "ExpressionOf" + operator.name.title().replace("_", "")
    return create_model(name, __base__=Wire, __doc__=operator.summary, **members)


@cache
def _form() -> type[BaseModel]:
    """Return the model that describes the form; made at its first use, for it takes a while."""
    models = [_model(operator) for operator in OPERATORS.values()]
    operations: Any = Annotated[reduce(or_, models), Field(discriminator="op")]
    literals: Any = bool | _Number | _Text | None
    form = create_model(
        "Expression",
        __base__=RootModel[Any],
        root=(operations | ExpressionOfField | ExpressionOfInstant | literals, ...),
    )
    for model in models:
        model.model_rebuild(_types_namespace={"Expression": form})
    return form


def _schema(_source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.no_info_wrap_validator_function(
        _read,
        handler.generate_schema(_form()),
        serialization=core_schema.plain_serializer_function_ser_schema(lambda form: form),
    )


ExpressionJson = Annotated[Any, GetPydanticSchema(_schema)]
"""The JSON form of an expression, well-formed but not checked: give it to `Expression.check`."""
