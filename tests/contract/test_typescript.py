"""Types that openapi-typescript makes of `/openapi.json` allow what is right, and no careless null.

A null that was meant for "leave it" must not compile where it would be refused or would empty a
field, and nobody has to name fields that they do not mean.
"""

import json
import re
from pathlib import Path
from typing import Any

from tests.realtime.node_client import run_node

ROOT = Path(__file__).parents[2]
CLIENT = '"/api/v1/clients/{id}", "patch"'
ENTRY = 'declare const it: components["schemas"]["LogEntry"];'
RIGHT = [
    'declare const heard: Heard<"new_message">; const text: string | null = heard.content;',
    f"{ENTRY} if (it.event === 'message_status') {{ const by: string = it.data.userId; }}",
    'const mark: Sent<"mark_read"> = { conversationId: "1", messageId: "2" };',
    'declare const ack: Acked<"mark_read">; if (ack.ok) ack.readSeq; else ack.error.code;',
    f'const change: Body<{CLIENT}> = {{ phone: "+49 30 901820" }};',
    f"const emptied: Body<{CLIENT}> = {{ phone: null }};",
    f"const nothing: Body<{CLIENT}> = {{}};",
    'const made: Body<"/api/v1/clients", "post"> = { name: "Ida" };',
    'const me: Body<"/api/v1/me", "patch"> = {};',
    'const settings: Body<"/api/v1/practice", "patch"> = { locale: "de" };',
    f"declare const read: Answer<{CLIENT}>; const id: string = read.id;",
]
WRONG = [
    'const late: Heard<"message_status"> = { messageId: "1" } as { messageId: string };',
    f"{ENTRY} if (it.event === 'typing') it.data;",
    f"const careless: Body<{CLIENT}> = {{ name: null }};",
    f"const misspelt: Body<{CLIENT}> = {{ fone: '1' }};",
    'const me: Body<"/api/v1/me", "patch"> = { name: null };',
    'const settings: Body<"/api/v1/practice", "patch"> = { locale: null };',
    'const user: Body<"/api/v1/users/{id}", "patch"> = { role: null };',
    'const nobody: Body<"/api/v1/clients", "post"> = {};',
]


def documented() -> tuple[str, str]:
    """Return the code that docs/api.md shows, and the commands before it."""
    page = (ROOT / "docs" / "api.md").read_text()
    (code,) = re.findall(r"```ts\n(.*?)```", page, re.DOTALL)
    imported, _, body = code.partition("\n")
    assert imported == "import type { components, paths } from './wellio';"  # as types.mjs has it
    return body, page


def test_the_recipe_is_for_the_versions_that_are_tried() -> None:
    package = json.loads((ROOT / "tests" / "package.json").read_text())["devDependencies"]
    _, page = documented()
    for name in ("openapi-typescript", "typescript"):
        (major,) = set(re.findall(rf"(?<![\w-]){name}@(\d+)", page))
        assert package[name].startswith(f"^{major}."), name
    assert "npx openapi-typescript http://localhost:3000/openapi.json" in page


async def test_generated_types_let_nobody_erase_by_mistake(openapi: Any, tmp_path: Path) -> None:
    description, lines = tmp_path / "openapi.json", tmp_path / "lines.json"
    description.write_text(json.dumps(openapi))
    right = [*RIGHT, documented()[0]]
    lines.write_text(json.dumps(right + WRONG))
    script = Path(__file__).with_name("types.mjs")
    said = json.loads(await run_node(str(script), str(description), str(lines)))
    assert said.pop("wellio.ts") == []
    told = dict(zip(right + WRONG, said.values(), strict=True))
    assert {line: told[line] for line in right if told[line]} == {}
    assert [line for line in WRONG if not told[line]] == []
