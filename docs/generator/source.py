"""What Python forgets of a module: signatures as they were written, and texts below constants."""

import ast
import importlib
import importlib.util
import inspect
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

Function = ast.FunctionDef | ast.AsyncFunctionDef
_SECTION = re.compile(r"^(Args|Attributes|Raises|Returns):$")


class Member(NamedTuple):
    """A public member of a class, as it is written there, and what it says of itself."""

    name: str
    shown: str
    summary: str


def constant(module: str, name: str) -> str:
    """Return the text below a constant, wherever the module has it from."""
    body = _tree(module).body
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    return constant(_origin(module, node), alias.name)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(it, ast.Name) and it.id == name for it in targets):
            return _text(below)
    return ""


def signature(function: Any) -> str:
    """Return a function's name, parameters and result."""
    return _header(next(it for it in _body(function) if isinstance(it, Function)))


def members(cls: type) -> Iterator[Member]:
    """Return a class' public members, in their order, with those of its bases that are private.

    How it is made is among them, as `__init__`, where that has a docstring.
    """
    for base in reversed(cls.__mro__):
        is_own = base is cls or base.__name__.startswith("_")
        if is_own and base.__module__.startswith("wellio"):
            yield from _own_members(base)


def parts(docstring: str) -> tuple[str, dict[str, dict[str, str]]]:
    """Return a docstring's text, and of each section (`Args`, ...) what it says by name.

    What `Returns` says has no name.
    """
    lines: dict[str, list[str]] = {"": []}
    section = ""
    for line in docstring.splitlines():
        if found := _SECTION.match(line):
            section = found[1]
            lines[section] = []
        else:
            lines[section].append(line)
    text = "\n".join(lines.pop("")).strip()
    return text, {name: _by_name(below) for name, below in lines.items()}


def _by_name(lines: list[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    name = ""
    for line in lines:
        if found := re.match(r"    (\w+): (.*)", line):
            name, said[found[1]] = found[1], found[2]
        elif line.strip():
            said[name] = f"{said.get(name, '')} {line.strip()}".strip()
    return said


def _own_members(cls: type) -> Iterator[Member]:
    node = next(it for it in _body(cls) if isinstance(it, ast.ClassDef))
    attributes = parts(inspect.cleandoc(ast.get_docstring(node) or ""))[1].get("Attributes", {})
    types = _types(node)
    fields = {ast.unparse(it.target) for it in node.body if isinstance(it, ast.AnnAssign)}
    for name, summary in attributes.items():
        if name not in fields:
            shown = f"{name}: {types[name]}" if types.get(name) else name
            yield Member(name, shown, summary)
    for it, below in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(it, ast.AnnAssign) and not ast.unparse(it.target).startswith("_"):
            name = ast.unparse(it.target)
            summary = attributes.get(name) or _described(it) or _text(below)
            yield Member(name, _field(name, it), summary)
        elif isinstance(it, Function) and _is_shown(it):
            summary = (ast.get_docstring(it) or "").partition("\n")[0]
            yield Member(it.name, _header(it, cls.__name__), summary)


def _types(node: ast.ClassDef) -> dict[str, str]:
    """Return the types of attributes that `__init__` sets to a parameter, or to a new object."""
    types = {}
    for made in (it for it in node.body if isinstance(it, Function) and it.name == "__init__"):
        for parameter in (*made.args.args, *made.args.kwonlyargs):
            types[parameter.arg] = _annotation(parameter.annotation)
        for it in ast.walk(made):
            if isinstance(it, ast.Assign) and isinstance(it.value, ast.Call):
                types[ast.unparse(it.targets[0]).removeprefix("self.")] = ast.unparse(it.value.func)
    return types


def _is_shown(node: Function) -> bool:
    if node.name == "__init__":
        return bool(ast.get_docstring(node))
    overloaded = any(ast.unparse(it) == "overload" for it in node.decorator_list)
    return not node.name.startswith("_") and not overloaded


def _header(node: Function, cls: str = "") -> str:
    decorators = {ast.unparse(it) for it in node.decorator_list}
    if decorators & {"property", "cached_property"}:
        return f"{node.name}: {_annotation(node.returns)}"
    shown = _parameters(node.args)
    if cls and "staticmethod" not in decorators:
        del shown[0]  # self, or cls
    name = f"{cls}.{node.name}" if "classmethod" in decorators else node.name
    if node.name == "__init__":
        return f"{cls}({', '.join(shown)})"
    awaits = "await " if isinstance(node, ast.AsyncFunctionDef) else ""
    return f"{awaits}{name}({', '.join(shown)}) -> {_annotation(node.returns)}"


def _parameters(args: ast.arguments) -> list[str]:
    positional = [*args.posonlyargs, *args.args]
    without = len(positional) - len(args.defaults)
    shown = [
        _parameter(it, args.defaults[number - without] if number >= without else None)
        for number, it in enumerate(positional)
    ]
    if args.posonlyargs:
        shown.insert(len(args.posonlyargs), "/")
    if args.vararg:
        shown.append(f"*{_parameter(args.vararg)}")
    elif args.kwonlyargs:
        shown.append("*")
    shown += map(_parameter, args.kwonlyargs, args.kw_defaults)
    return [*shown, f"**{_parameter(args.kwarg)}"] if args.kwarg else shown


def _parameter(node: ast.arg, default: ast.expr | None = None) -> str:
    annotation = f": {_annotation(node.annotation)}" if node.annotation else ""
    return f"{node.arg}{annotation}" + (f" = {ast.unparse(default)}" if default else "")


def _field(name: str, node: ast.AnnAssign) -> str:
    default = f" = {ast.unparse(node.value)}" if node.value else ""
    is_described = re.match(r" = (Field|field)\(", default)
    return f"{name}: {_annotation(node.annotation)}{'' if is_described else default}"


def _annotation(node: ast.expr | None) -> str:
    """Return a type, without what pydantic is told of it, and without quotes around names."""
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Annotated":
        node = next(it for it in ast.iter_child_nodes(node.slice) if isinstance(it, ast.expr))
    text = ast.unparse(node) if node else ""
    return text if "Literal[" in text else text.replace("'", "")


def _described(node: ast.AnnAssign) -> str:
    """Return what a `Field(description=...)` in a field's type or default says."""
    said = [it.value for it in ast.walk(node) if isinstance(it, ast.keyword)
            and it.arg == "description"]  # fmt: skip
    return str(ast.literal_eval(said[0])) if said else ""


def _text(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return " ".join(str(node.value.value).split())
    return ""


def _origin(module: str, node: ast.ImportFrom) -> str:
    is_package = hasattr(importlib.import_module(module), "__path__")
    package = module if is_package else module.rpartition(".")[0]
    return importlib.util.resolve_name("." * node.level + (node.module or ""), package)


def _body(thing: Any) -> list[ast.stmt]:
    return ast.parse(inspect.cleandoc("\n" + inspect.getsource(thing))).body


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(importlib.import_module(module)))
