"""What the README and the docs tell people to do works, and what they point to is there."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.core.boot.processes import serve, wellio
from tests.e2e.practice import Place, Rest, token_of
from tests.examples.tutorial import File, steps

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
API = ROOT / "docs" / "api.md"
TUTORIAL = ROOT / "docs" / "plugins.md"
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
#: What the page names that is no endpoint of its own.
NO_ENDPOINTS = {"/api/v1", "/ws"}


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in FENCED.findall(page.read_text()) if kind == language]


def spans(page: Path) -> list[str]:
    """Return the code between single backticks."""
    return re.findall(r"`([^`\n]+)`", FENCED.sub("", page.read_text()))


def curls(page: Path) -> list[str]:
    """Return the curl commands of a page, each with its continued lines and its body."""
    found = [re.split(r"^(?=curl )", text, flags=re.MULTILINE) for text in blocks(page, "sh")]
    return [
        part.replace("\\\n", " ").replace("$WELLIO/", "http://localhost:3000/")
        for parts in found
        for part in parts
        if part.startswith("curl")
    ]


async def run(command: str, session: ClientSession) -> Any:
    """Send what a curl command sends, and return the answer's body; it must be a success."""
    words = shlex.split(command)
    url, headers, body, method = "", {}, None, ""
    rest = iter(words[1:])
    for word in rest:
        if word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(rest)
        elif word == "-X":
            method = next(rest)
        else:
            assert word.startswith("http://localhost:3000/"), word
            url = word.removeprefix("http://localhost:3000")
    method = method or ("GET" if body is None else "POST")
    async with session.request(method, url, headers=headers, data=body) as response:
        text = await response.text()
        assert response.status in {200, 201}, f"{command}\n{text}"
        return await response.json()


async def test_the_readme_sets_the_practice_up(tmp_path: Path) -> None:
    (command,) = curls(ROOT / "README.md")
    assert "THE TOKEN FROM THE LINK" in command
    async with Place(tmp_path, f"sqlite:///{tmp_path}/wellio.db").serve() as (server, rest):
        token = token_of(" ".join(server.notices))
        login = await run(command.replace("THE TOKEN FROM THE LINK", token), rest.session)
        assert login["user"]["role"] == "owner"
        practice = await rest("GET", "/practice", token=login["accessToken"])
        assert practice["timeZone"] == "Europe/Berlin"


async def test_every_command_of_the_api_page_works(tmp_path: Path) -> None:
    """They are run in their order, with what their reader would have put in."""
    known: dict[str, str] = {}
    async with Place(tmp_path, f"sqlite:///{tmp_path}/wellio.db").serve() as (server, rest):
        known["TOKEN"] = token_of(" ".join(server.notices))
        for command in curls(API):
            filled = re.sub(r"\$([A-Z_]+)", lambda found: known[found[1]], command)
            filled = filled.replace("wr_…", known.get("REFRESH", "")).replace(
                '"token": "…"', f'"token": "{known.get("INVITED")}"'
            )
            answer = await run(filled, rest.session)
            await _remember(known, command, answer, rest)
    assert known.keys() >= {"OWNER", "COACH", "CLIENT_USER", "CONVERSATION", "SENT", "ETAG"}


async def _remember(known: dict[str, str], command: str, answer: Any, rest: Rest) -> None:
    """Keep of an answer what later commands need."""
    if "/auth/" in command:
        known |= {"OWNER": answer["accessToken"], "REFRESH": answer["refreshToken"]}
    elif command.startswith("curl http://localhost:3000/api/v1/invitations/redeem"):
        known["COACH"] = answer["accessToken"]
        mia = await rest.invite(answer["accessToken"], "mia", "client")
        known["CLIENT_USER"] = mia["user"]["id"]
        (record,) = (await rest("GET", "/clients", token=answer["accessToken"]))["items"]
        known["CLIENT"] = record["id"]
        headers = {"Authorization": f"Bearer {answer['accessToken']}"}
        path = f"/api/v1/clients/{record['id']}"
        async with rest.session.get(path, headers=headers) as response:
            known["ETAG"] = response.headers["ETag"].replace('"', '\\"')  # it stands in quotes
    elif "/invitations" in command:
        known["INVITED"] = token_of(answer["link"])
    elif "/messages" in command:
        known["SENT"] = answer["id"]
    elif "/conversations" in command:
        known["CONVERSATION"] = answer["id"]


async def test_every_endpoint_of_the_api_page_is_one(tmp_path: Path) -> None:
    async with (
        Place(tmp_path, f"sqlite:///{tmp_path}/wellio.db").serve() as (_, rest),
        rest.session.get("/openapi.json") as response,
    ):
        paths = (await response.json())["paths"]
    named = {it for span in spans(API) for it in _endpoints(span)}
    assert len(named) > 15
    wrong = [
        f"{method} {path}"
        for method, path in sorted(named)
        for found in [paths.get(f"/api/v1{path}") or paths.get(path)]
        if path not in NO_ENDPOINTS
        and (found is None or (method or next(iter(found))) not in found)
    ]
    assert wrong == []


def _endpoints(span: str) -> Iterator[tuple[str, str]]:
    """Read `GET|DELETE /auth/sessions[/{id}]` as what it stands for; `/me` has any method."""
    found = re.fullmatch(r"(?:([A-Z|]+) )?(/[a-z][^\s\[?]*)(?:\[(.*)\])?(?:\?\S*)?", span)
    if found:
        for method in (found[1] or "").lower().split("|"):
            yield method, found[2]
            if found[3]:
                yield method, found[2] + found[3]


def recorded_logins() -> set[str]:
    """Return the lines of the README's demo that say who may sign in."""
    lines = [line.strip("│ ") for line in blocks(ROOT / "README.md", "text")[0].splitlines()]
    found = {line for line in lines if line.endswith(".example")}
    assert len(found) == 9
    return found


@pytest.mark.slow("it fills a demo and starts servers, each in a process of its own")
async def test_every_command_of_the_demo_page_works(tmp_path: Path) -> None:
    seeded = wellio("seed", "--demo", "--clients", "4", "--days", "14", "--json", cwd=tmp_path)
    password = json.loads(seeded.stdout)["password"]
    async with serve(tmp_path, "--demo") as server, ClientSession(server.url) as session:
        assert recorded_logins() <= {line.strip() for line in server.notices[0].splitlines()}
        login, *others = curls(ROOT / "docs" / "demo.md")
        answer = await run(login.replace("THE PASSWORD IT SHOWS", password), session)
        token, conversation = answer["accessToken"], ""
        for command in others:
            filled = command.replace("$TOKEN", token).replace("$CONVERSATION", conversation)
            answer = await run(filled, session)
            found = answer["conversations"] if "/dashboard" in command else answer["items"]
            assert found, command
            conversation = found[0]["id"]
    assert len(others) > 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_paragraph_is_one_line(page: Path) -> None:
    """Two lines without a blank one between them are mostly one paragraph that was merged twice."""
    if page.read_text().startswith("<!-- Made by"):
        return
    lines = FENCED.sub("\n", page.read_text()).splitlines()
    prose = [bool(re.match(r"[^\W\d]|[`(<\[]|\*\*", line)) for line in lines]
    doubled = [line for line, *both in zip(lines[1:], prose, prose[1:], strict=False) if all(both)]
    assert doubled == []


def test_every_make_target_that_is_named_is_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {target for page in PAGES for target in _make_targets(page)}
    assert named >= {"run", "test", "check"}
    assert named - targets == set()


def _make_targets(page: Path) -> Iterator[str]:
    lines = [line for block in blocks(page, "sh") for line in block.splitlines()]
    for line in (*lines, *spans(page)):
        words = shlex.split(line, comments=True) if line.startswith("make ") else []
        yield from (word for word in words[1:] if "=" not in word)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", page.read_text()))
    local = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in local if not (page.parent / link).exists()] == []
    files = [
        span for span in spans(page) if re.fullmatch(r"[\w./-]+/[\w.-]+\.(py|md|toml|mjs)", span)
    ]
    # What the tutorial has its reader write is with the reader.
    made = {step.path for step in steps(page) if isinstance(step, File)} if page == TUTORIAL else ()
    assert [file for file in files if file not in made and not (ROOT / file).exists()] == []
