"""The wire's type of an expression: what endpoints declare, and what `/openapi.json` shows.

The models only describe. The form is read by `Reader`, which names every fault by its own pointer,
as a union of models cannot.
"""

from typing import Annotated, Any, Literal

from pydantic import (
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    RootModel,
    ValidationError,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from wellio.wire import Instant, Text, Wire

from .literal import MAX_TEXT
from .nodes import LARGEST
from .operator import MANY
from .reader import Reader
from .table import OPERATORS

_Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
_Text = Annotated[Text, Field(max_length=MAX_TEXT)]


class ExpressionOfField(Wire):
    """The value of a field."""

    field: _Text


class ExpressionOfInstant(Wire):
    """An instant, or `now`."""

    instant: Literal["now"] | Instant


class ExpressionBand(Wire):
    """A band of a score: from a number to the next band."""

    start: Annotated[_Number, Field(alias="from")]
    label: _Text


class ExpressionOfOperator(Wire):
    """An operator, applied to the expressions in `args`; each takes some number of some type."""

    model_config = ConfigDict(**Wire.model_config, json_schema_mode_override="validation")

    op: Annotated[str, Field(json_schema_extra={"enum": list(OPERATORS)})]
    args: Annotated[list["ExpressionForm"], Field(min_length=1, max_length=MANY)]
    min_answered: Annotated[
        int | None,
        Field(ge=1, le=MANY, description="How many answers a score needs; all by default."),
    ] = None
    bands: Annotated[
        list[ExpressionBand] | None,
        Field(min_length=1, max_length=MANY, description="Of `bands`, in rising order."),
    ] = None


class ExpressionForm(
    RootModel[
        ExpressionOfOperator
        | ExpressionOfField
        | ExpressionOfInstant
        | bool
        | _Number
        | _Text
        | None
    ]
):
    """An expression: a literal, a field, an instant or an operator."""

    # One component for requests and answers: what refers to itself would get two.
    model_config = ConfigDict(json_schema_mode_override="validation")


def _read(form: Any, _models: Any) -> Any:
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


def _schema(_source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.no_info_wrap_validator_function(
        _read,
        handler.generate_schema(ExpressionForm),
        serialization=core_schema.plain_serializer_function_ser_schema(lambda form: form),
    )


ExpressionJson = Annotated[Any, GetPydanticSchema(_schema)]
"""The JSON form of an expression, well-formed but not checked: give it to `Expression.check`."""
