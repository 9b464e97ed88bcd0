"""Pieces of Markdown, and of docstrings."""

import inspect
from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

NOTICE = "<!-- Made by `make docs` from the code: change it there. -->\n"


def page(title: str, introduction: str, *parts: str) -> str:
    """Return a whole page."""
    return "\n".join([NOTICE, f"# {title}\n", f"{introduction}\n", *parts]).rstrip() + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; bars within cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def docstring(thing: Any) -> str:
    """Return a docstring without its indentation."""
    return inspect.getdoc(thing) or ""


def first_line(thing: Any) -> str:
    """Return a docstring's first line."""
    return docstring(thing).partition("\n")[0]


def fields(model: type[BaseModel]) -> str:
    """Return a model's fields in a line, the optional ones with a question mark."""
    return ", ".join(
        f"`{field.alias or name}{'' if field.is_required() else '?'}: {kind(field.annotation)}`"
        for name, field in model.model_fields.items()
    )


def kind(annotation: Any) -> str:
    """Return a type as people write it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        text = "null"
    elif origin is Annotated:
        text = kind(arguments[0])
    elif origin is None:
        text = getattr(annotation, "__name__", str(annotation))
    elif origin is Literal:
        text = " | ".join(map(repr, arguments))
    elif origin in {Union, UnionType}:
        text = " | ".join(map(kind, arguments))
    else:
        inner = ", ".join("..." if one is Ellipsis else kind(one) for one in arguments)
        text = f"{kind(origin)}[{inner}]"
    return text
