"""How files look: their size, their docstrings, what they export, what they silence."""

import ast
import importlib
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.core.source_tree import Rule, Rules, Source, breaches, init_of, read, sample

CODE = read("wellio", "plugins")
TESTS = read("tests")
EXAMPLES = read("examples")
LINES, LINES_OF_TESTS, LINES_OF_FUNCTION = 400, 600, 40
SILENCER = re.compile(r"(noqa|type: ?ignore)(?P<codes>(: ?[A-Z]+\d+(, ?[A-Z]+\d+)*)|\[[\w, -]+\])?")


def file_is_short(source: Source) -> Iterator[str]:
    """A file past its cap is two things: it becomes a package."""
    cap = LINES_OF_TESTS if source.path.parts[0] == "tests" else LINES
    count = source.text.count("\n")
    if count > cap:
        yield f"{count}: more than {cap} lines"


def function_is_short(source: Source) -> Iterator[str]:
    """A function fits on a screen, its docstring aside."""
    if source.path.parts[0] == "tests":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if ast.get_docstring(node) is not None:
                docstring = node.body[0]
                lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
            if lines > LINES_OF_FUNCTION:
                yield f"{node.lineno}: {node.name} has {lines} lines, more than {LINES_OF_FUNCTION}"


def module_says_what_it_is(source: Source) -> Iterator[str]:
    """A module docstring says what the file is and why it exists."""
    if not ast.get_docstring(source.tree):
        yield "1: no module docstring"


def module_is_a_noun(source: Source) -> Iterator[str]:
    """A name that could hold anything soon does."""
    if source.path.stem in {"util", "utils", "helper", "helpers", "manager", "misc", "common"}:
        yield "1: the name says nothing"


def silence_has_a_reason(source: Source) -> Iterator[str]:
    """A silenced check names its code and its reason, and nothing is left for later."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type != tokenize.COMMENT:
            continue
        comment, line = token.string, token.start[0]
        if re.search(r"\b(TODO|FIXME|XXX)\b", comment):
            yield f"{line}: left for later"
        silencers = list(SILENCER.finditer(comment))
        if any(not silencer["codes"] for silencer in silencers):
            yield f"{line}: silences everything"
        elif silencers and not re.search(r"[a-z]{2,}", SILENCER.sub("", comment)):
            yield f"{line}: silences a check without a reason beside it"


RULES: Rules = {
    file_is_short: [
        ("wellio/long.py", "\n" * 401),
        ("tests/test_long.py", "\n" * 601),
    ],
    function_is_short: [
        ("wellio/a.py", "def f():\n" + "    f()\n" * 40),
        ("wellio/a.py", "class A:\n    async def f():\n" + "        f()\n" * 40),
    ],
    module_says_what_it_is: [("wellio/a.py", "import os\n")],
    module_is_a_noun: [("plugins/wellio_chat/utils.py", '"""Everything."""\n')],
    silence_has_a_reason: [
        ("wellio/a.py", "f()  # " + "TODO: more\n"),
        ("wellio/a.py", "f()  # " + "noqa\n"),
        ("wellio/a.py", "f()  # " + "noqa: S608\n"),
        ("wellio/a.py", "f()  # " + "type: ignore[misc]\n"),
    ],
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_repository_keeps_the_rule(rule: Rule) -> None:
    found = breaches(rule, CODE + TESTS + EXAMPLES)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "rule, path, text",
    [(rule, *bad) for rule, samples in RULES.items() for bad in samples],
    ids=lambda value: None,
)
def test_the_rule_finds_a_breach(rule: Rule, path: str, text: str) -> None:
    assert len(breaches(rule, [sample(path, text)])) == 1


def test_what_is_allowed_is_no_breach() -> None:
    good = '"""Is here for a reason."""\n\nf()  # ' + "noqa: S608, S101 - a fixed fragment\n"
    assert [breaches(rule, [sample("wellio/a.py", good)]) for rule in RULES] == [[]] * len(RULES)


def missing_exports(source: Source, module: object) -> list[str]:
    """Return the names of `__all__` that are not there, and those that are there twice."""
    names = source.exported or ()
    return [name for name in names if not hasattr(module, name) or names.count(name) > 1]


# That __all__ is sorted is ruff's RUF022 to say. Nothing is parsed while tests are only collected.
@pytest.mark.parametrize(
    "source", [s for s in CODE if "\n__all__" in s.text], ids=lambda s: s.module
)
def test_exports_are_real(source: Source) -> None:
    assert missing_exports(source, importlib.import_module(source.module)) == []


def test_an_export_that_is_not_there_is_seen() -> None:
    source = sample("wellio/a.py", "__all__ = ['loads', 'loads', 'no_such_name']")
    assert missing_exports(source, importlib.import_module("json")) == [
        *("loads", "loads", "no_such_name")
    ]


def test_the_core_says_what_is_public() -> None:
    core = init_of("wellio", CODE)
    assert core is not None
    assert core.exported
