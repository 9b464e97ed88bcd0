"""The commands: what they print, what they refuse, and where they run."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.core.boot.conftest import Shell
from tests.core.boot.processes import serve
from wellio import __version__

COMMANDS = Path(__file__).parents[3] / "docs/commands.md"


def test_help_lists_the_commands_of_core_and_plugins(shell: Shell) -> None:
    shown = shell("--help")
    assert shown.code == 0
    for command in (
        *("serve", "health", "migrate", "config", "openapi", "plugins"),
        *("audit", "doctor", "keys", "mail", "outbox", "user"),
    ):
        assert re.search(rf"\b{command}\b", shown.stdout)
    assert "Say something." in shell("probe --help").stdout
    assert "What is said." in shell("probe say --help").stdout


def test_without_a_command_there_is_help(shell: Shell) -> None:
    shown = shell("")
    assert shown.code == 2
    assert "serve" in shown.stdout
    assert shown.stderr == ""


def test_an_option_without_its_value_is_a_wrong_call(shell: Shell) -> None:
    refused = shell("outbox --config")
    assert (refused.code, refused.stdout) == (2, "")
    assert "--config" in refused.stderr


@pytest.mark.parametrize("line", ["serve --port 0", "migrate"])
@pytest.mark.parametrize("blocked", ["data", "data/secrets", "data/wellio.lock/x"])
def test_a_data_folder_that_cannot_be_used_is_one_line(
    shell: Shell, folder: Path, line: str, blocked: str
) -> None:
    (folder / blocked).parent.mkdir(parents=True, exist_ok=True)
    (folder / blocked).touch()
    refused = shell(line)
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"wellio: the data folder {folder}/data cannot be used: ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.usefixtures("practice")
def test_options_follow_the_model(shell: Shell) -> None:
    said = shell(
        "probe say --text x --loud --also a --also b --secret-stdin --json", stdin=" a secret \n"
    )
    assert json.loads(said.stdout) == {
        "text": "x",
        "loud": True,
        "also": ["a", "b"],
        "secret": " a secret ",
    }
    assert shell("probe say --text x").stdout == "text: x\nloud: no\nalso: -\nsecret: -\n"


@pytest.mark.parametrize(
    "line",
    [
        "unheard-of",
        "serve --unheard-of",
        "serve --port x",
        "serve --port 1_0",
        "serve --port +5",
        "serve --port 70000",
        "seed --demo --days 1_000",
        "seed --demo --coaches 5",
        "mail show --last 1_0",
        "mail show --last 0",
        "user rename a@b.example",
        "probe say",
        "probe say --text x --loud y",
        "user create --email e --name n --role owner",
    ],
)
def test_a_wrong_call_is_code_2(shell: Shell, line: str) -> None:
    refused = shell(line)
    assert (refused.code, refused.stdout) == (2, "")
    assert refused.stderr
    assert ": " not in refused.stderr.removeprefix("wellio: ") or "Usage: " in refused.stderr


def test_wrong_arguments_are_all_named_and_not_echoed(shell: Shell) -> None:
    line = "user create --email not-an-address --name n --role emperor --password-stdin"
    refused = shell(line, stdin="s3cret")
    assert refused.code == 2
    named = [part.partition(" ")[0] for part in refused.stderr.removeprefix("wellio: ").split("\n")]
    assert named == ["email", "role", "password", ""]
    assert "s3cret" not in refused.stderr


@pytest.mark.parametrize(
    "variable, value, expected",
    [
        ("WELLIO_SERVER__PORT", "s3cret", "WELLIO_SERVER__PORT: must be a whole number"),
        (
            "WELLIO_SERVR__PORT",
            "1",
            "WELLIO_SERVR__PORT: unknown setting; did you mean WELLIO_SERVER__PORT?",
        ),
        ("WELLIO_PLUGINS__PROBE__X", "s3cret", "WELLIO_PLUGINS__PROBE__X: unknown setting"),
        ("JWT_SECRET", "s3cret", "JWT_SECRET: expected 32 bytes or more"),
        (
            "JWT_SECRET",
            "changeme" * 5,
            "JWT_SECRET: expected a random one (openssl rand -base64 48); this one is an example's",
        ),
        (
            "WELLIO_SECRETS__MASTER_KEY",
            "00" * 32,
            (
                "WELLIO_SECRETS__MASTER_KEY: expected 64 hexadecimal digits "
                "(openssl rand -hex 32); these digits are not random"
            ),
        ),
    ],
)
@pytest.mark.parametrize("command", ["serve", "config check", "plugins", "probe where"])
def test_a_wrong_setting_stops_with_its_name(
    shell: Shell, command: str, variable: str, value: str, expected: str
) -> None:
    refused = shell(command, env={variable: value})
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.stderr == f"wellio: these settings are wrong:\n  {expected}\n"


def test_a_broken_plugin_is_one_line_and_help_still_works(shell: Shell, folder: Path) -> None:
    (folder / "plugins/probe.py").write_text("import a_module_that_nobody_has\n")
    for command in ("serve", "config check", "outbox"):
        refused = shell(command)
        assert refused.code == 1
        assert refused.stderr == (
            "wellio: plugin probe (plugins/probe.py): "
            "ModuleNotFoundError: No module named 'a_module_that_nobody_has'\n"
        )
    shown = shell("--help")
    assert (shown.code, shown.stderr) == (0, "")
    assert "serve" in shown.stdout


def test_a_group_of_commands_names_them(shell: Shell) -> None:
    lines = [" ".join(line.split()) for line in shell("--help").stdout.splitlines()]
    assert any("keys Commands: adopt, rotate." in line for line in lines)


@pytest.mark.usefixtures("practice")
def test_plugins_are_listed_in_their_order(shell: Shell) -> None:
    listed = json.loads(shell("plugins --json").stdout)
    names = [plugin["name"] for plugin in listed["plugins"]]
    assert names.index("auth") < names.index("practice") < names.index("chat")
    probe = next(plugin for plugin in listed["plugins"] if plugin["name"] == "probe")
    assert (probe["version"], probe["origin"]) == ("2.5", "plugins/probe.py")
    assert (listed["skipped"], listed["leftover"]) == ([], [])
    assert listed["leftover_tables"] == []
    assert f"wellio {__version__}" in shell("plugins").stdout


def test_a_plugin_without_its_program_leaves_tables(shell: Shell) -> None:
    assert shell("migrate").code == 0
    listed = shell("plugins --json", env={"WELLIO_LOADER__DISABLED": '["chat"]'})
    shown = json.loads(listed.stdout)
    assert shown["leftover"] == ["chat"]
    assert {"chat_member", "chat_message"} <= set(shown["leftover_tables"])
    assert all(name.startswith("chat_") for name in shown["leftover_tables"])


@pytest.mark.usefixtures("practice")
def test_the_outbox_is_shown(shell: Shell) -> None:
    shown = json.loads(shell("outbox --retry --json").stdout)
    assert shown["retried"] == 0
    assert shown["jobs"][0]["dead"] == 0
    assert (shown["parked"], shown["dead"]) == ([], [])


def letter(folder: Path, to: str, text: str) -> None:
    """Put a mail into the mailbox."""
    path = folder / f"data/mailbox/{uuid4()}.eml"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    head = f"To: {to}\nSubject: Hello\nDate: Thu, 28 May 2026 20:26:40 +0000\n"
    path.write_text(f"{head}\n{text}\n")


@pytest.mark.usefixtures("practice")
def test_the_mailbox_is_shown_and_no_link_is_broken(shell: Shell, folder: Path) -> None:
    assert json.loads(shell("mail show --json").stdout) == {"mails": []}
    link = "https://practice.example/invite#token=" + "x" * 120
    letter(folder, "anna@x.example", f"Open this:\n{link}")
    letter(folder, "ben@x.example", "Another.")
    assert shell("mail show --to anna@x.example").stdout == (
        "at: 2026-05-28T20:26:40.000Z\nto: anna@x.example\nsubject: Hello\n"
        f"text: Open this:\n{link}\n\n"
    )
    shown = json.loads(shell("mail show --json --last 1").stdout)["mails"]
    assert shown == [
        {
            "at": "2026-05-28T20:26:40.000Z",
            "to": "ben@x.example",
            "subject": "Hello",
            "text": "Another.\n",
        }
    ]
    for wrong in ("--last 0", "--last x", "--to anna"):
        refused = shell(f"mail show {wrong}")
        assert (refused.code, refused.stdout) == (2, "")


def test_config_check_warns(shell: Shell) -> None:
    env = {"WELLIO_PLUGINS__GONE__X": "1", "REDIS_URL": "redis://h", "OPENAI_API_KEY": "k"}
    checked = shell("config check --json", env=env)
    report = json.loads(checked.stdout)
    assert (checked.code, report["status"]) == (0, "ok")
    named = [warning.partition(" ")[0] for warning in report["warnings"]]
    assert named == ["REDIS_URL", "plugins.gone:"]


def test_openapi_describes_plugins_and_touches_nothing(shell: Shell, folder: Path) -> None:
    described = json.loads(shell("openapi").stdout)
    assert described["openapi"].startswith("3.1")
    assert "/slow" in described["paths"]
    assert not (folder / "data").exists()


def test_every_command_takes_another_folder_and_file(shell: Shell, folder: Path) -> None:
    (folder / "config.toml").rename(folder / "other.toml")
    for line in ("migrate", "probe where"):
        done = shell(f"{line} --json --config other.toml --data practice")
        assert done.code == 0
    assert "pid" in json.loads(done.stdout)
    assert (folder / "practice/wellio.db").exists()
    assert not (folder / "data").exists()


@pytest.mark.usefixtures("practice")
def test_a_failing_operation_is_one_line(shell: Shell) -> None:
    line = "user create --email c@practice.example --name C --role client --password-stdin"
    refused = shell(line, stdin="one fine horse, two batteries\n")
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.stderr == "wellio: Make the owner first.\n"


def test_a_start_that_fails_in_a_plugin_is_one_line_and_lets_everything_go(shell: Shell) -> None:
    env = {
        "WELLIO_SETUP__OWNER_EMAIL": "owner@practice.example",
        "WELLIO_SETUP__OWNER_PASSWORD": "password12",
    }
    for _ in range(2):  # the second start finds the folder and the port free
        refused = shell("serve --port 0", env=env)
        assert (refused.code, refused.stdout) == (1, "")
        assert refused.stderr.startswith("wellio: setup.owner_password: ")
        assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("line", ["serve --port 0", "outbox", "keys rotate"])
def test_secrets_that_others_can_read_stop_with_their_names(
    shell: Shell, folder: Path, line: str
) -> None:
    assert shell("migrate").code == 0
    (folder / "data/secrets/node").chmod(0o640)
    (folder / "data/secrets").chmod(0o755)
    refused = shell(line)
    assert (refused.code, refused.stdout) == (1, "")
    assert refused.stderr == (
        "wellio: the folder secrets is open to other users: its mode must be 0700; "
        "node can be read by other users: its mode must be 0600\n"
    )


async def test_keys_are_rotated_inside_a_running_server_and_without_one(
    shell: Shell, folder: Path
) -> None:
    file = folder / "data/secrets/master.key"

    async def rotate() -> Any:
        done = await asyncio.to_thread(shell, "keys rotate --json")
        assert (done.code, done.stderr) == (0, "")
        return json.loads(done.stdout)

    async with serve(folder) as server:
        first = file.read_text().split()[0]
        rotated = await rotate()
        assert rotated["master_key"].endswith("data/secrets/master.key has a new one")
        assert {row["what"]: row["anew"] for row in rotated["sealed"]} == {
            "root key": 1,
            "people's keys": 0,
            "audit.keys": 1,
            "auth.signing_keys": 1,
        }
        second, _ = [line.split()[0] for line in file.read_text().splitlines()]
        assert second != first
        assert await server.stop() == 0
    await rotate()
    keys = [line.split()[0] for line in file.read_text().splitlines()]
    assert keys[1:] == [second, first]
    shown = (await asyncio.to_thread(shell, "keys rotate")).stdout  # for people
    assert "auth.signing_keys" in shown
    assert not any(key in shown for key in keys)


def test_keys_of_a_setting_are_changed_where_they_are_set(shell: Shell, folder: Path) -> None:
    env = {"WELLIO_SECRETS__MASTER_KEY": "5f3759df1b873593cc9e2d51e6546b64" * 2}
    assert shell("migrate", env=env).code == 0
    told = shell("keys rotate", env=env)
    assert told.code == 0
    assert "unchanged, for it is a setting" in told.stdout
    assert "WELLIO_SECRETS__MASTER_KEY" in told.stdout
    assert env["WELLIO_SECRETS__MASTER_KEY"] not in told.stdout
    assert not (folder / "data/secrets/master.key").exists()


@pytest.mark.usefixtures("practice")
def test_another_keys_db_can_be_adopted(shell: Shell, folder: Path) -> None:
    assert shell("keys adopt").stdout == "status: keys.db belongs to this database\n"
    assert (folder / "data/keys.db").exists()


async def test_while_a_server_runs(shell: Shell, folder: Path) -> None:
    def call(line: str) -> Any:
        return asyncio.to_thread(shell, line)

    letter(folder, "anna@x.example", "LINK")
    async with serve(folder) as server:
        # what works on the data does so inside the server
        assert json.loads((await call("probe where --json")).stdout)["pid"] == server.process.pid
        assert "LINK" in (await call("mail show")).stdout
        # what needs the data alone is refused
        for line in ("migrate", "serve --port 0"):
            refused = await call(line)
            assert (refused.code, refused.stdout) == (1, "")
            assert refused.stderr == f"wellio: a server runs on {folder}/data: stop it first\n"
        # a server that is just starting has the lock and no socket yet
        (folder / "data/control.sock").unlink()
        refused = await call("probe where")
        assert refused.code == 1
        assert "already serves" in refused.stderr
        assert await server.stop() == 0
    assert json.loads((await call("probe where --json")).stdout)["pid"] != server.process.pid
    for _ in range(2):
        assert json.loads((await call("migrate --json")).stdout) == {"status": "up to date"}


async def test_health_is_for_containers(shell: Shell, folder: Path) -> None:
    async with serve(folder) as server:  # on a port that no setting names
        well = await asyncio.to_thread(shell, "health --json")
        assert (well.code, json.loads(well.stdout)["status"]) == (0, "ok")
        read = (await asyncio.to_thread(shell, "health")).stdout
        assert read.startswith("status: ok\n")
        assert re.search(r"│ database +│ ok +│", read)
        assert "{" not in read
        env = {"WELLIO_SERVER__PORT": server.url.rpartition(":")[2]}
        elsewhere = await asyncio.to_thread(shell, "health --data elsewhere --json", env=env)
        assert (elsewhere.code, elsewhere.stdout) == (0, well.stdout)
        await server.stop()
    gone = await asyncio.to_thread(shell, "health", env=env)
    assert gone.code == 1
    assert re.fullmatch(r"wellio: no Wellio answers at http://127\.0\.0\.1:\d+\n", gone.stderr)


def test_every_option_that_the_page_lists_is_one(shell: Shell) -> None:
    row = re.compile(r"^\| `wellio ([a-z ]+)` \| .* \| (.*) \|$", re.MULTILINE)
    listed = row.findall(COMMANDS.read_text())
    assert len(listed) > 15
    for name, text in listed:
        shown = shell(f"{name} --help").stdout
        options = re.findall(r"`(--[a-z-]+)`", text)
        assert [it for it in options if not re.search(rf"{it}\b", shown)] == [], name
