"""Settings: where they come from, which wins, and how wrong ones are refused."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import BaseModel

from wellio.access.limits import Rate
from wellio.boot.plugin_sources import discover
from wellio.config.section import SectionModel, validate_section
from wellio.config.settings import Config, load_config, secret_values
from wellio.config.template import env_template, toml_template
from wellio.errors import ConfigError

ROOT = Path(__file__).parents[3]
MASTER_KEY = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
SECRET = "kPz4-mT9v_Qw7-xB2n_Lc5-hR8j_Fd3s"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current folder has no config.toml."""
    monkeypatch.chdir(tmp_path)


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text)
    return path


def problems(
    env: Mapping[str, str] | None = None, path: Path | None = None, **overrides: Any
) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, env=env or {}, overrides=overrides)
    return [line.strip() for line in str(caught.value).splitlines()[1:]]


# -- sources -------------------------------------------------------------------------------------


def test_defaults_need_nothing() -> None:
    assert load_config(env={}) == Config()


def test_a_later_source_wins(tmp_path: Path) -> None:
    path = written(tmp_path, "[server]\nport = 1\nhost = 'file'\n[log]\nlevel = 'debug'\n")
    config = load_config(
        path,
        env={"WELLIO_SERVER__PORT": "2", "WELLIO_SERVER__HOST": "env"},
        overrides={"server.port": 3},
    )
    assert (config.server.port, config.server.host, config.log.level) == (3, "env", "debug")


def test_the_file_in_the_current_folder_is_read_when_it_is_there(tmp_path: Path) -> None:
    written(tmp_path, "data_dir = 'practice'")
    assert load_config(env={}).data_dir == Path("practice")


@pytest.mark.parametrize(
    "variable, value, expected",
    [
        ("WELLIO_DATA_DIR", "elsewhere", Path("elsewhere")),
        ("WELLIO_SERVER__PORT", "0", 0),
        ("WELLIO_SERVER__SHUTDOWN_TIMEOUT_S", "2.5", 2.5),
        ("WELLIO_LOADER__DISABLED", '["ai", "chat"]', ("ai", "chat")),
        ("WELLIO_SERVER__ALLOWED_ORIGINS", '["https://a.example"]', ("https://a.example",)),
        ("WELLIO_SERVER__TRUSTED_PROXIES", '["10.0.0.0/8"]', (ip_network("10.0.0.0/8"),)),
        ("WELLIO_LIMITS__ENABLED", "false", False),
        ("WELLIO_LIMITS__PER_ACCOUNT", "7+0.5/s", Rate(7, 0.5)),
        ("WELLIO_SERVER__PUBLIC_URL", "https://a.example/", "https://a.example"),
        ("WELLIO_PLUGINS__CHAT__TEXT_BYTES", "7", "7"),  # the plugin's model makes it a number
        ("DATABASE_URL", "postgresql://u:p@h/d", "postgresql://u:p@h/d"),
        ("JWT_SECRET", SECRET, SECRET),
    ],
)
def test_the_environment_is_read_by_type(variable: str, value: str, expected: object) -> None:
    name = {"DATABASE_URL": "database.url", "JWT_SECRET": "plugins.auth.jwt_secret"}.get(
        variable, variable.removeprefix("WELLIO_").lower().replace("__", ".")
    )
    node: Any = load_config(env={variable: value})
    for part in name.split("."):
        node = node[part] if isinstance(node, dict) else getattr(node, part)
    assert (node.get_secret_value() if hasattr(node, "get_secret_value") else node) == expected


def test_an_empty_variable_counts_as_absent() -> None:
    assert load_config(env={"WELLIO_SERVER__PORT": "", "JWT_SECRET": ""}) == Config()


def test_our_own_name_wins_over_an_alias() -> None:
    config = load_config(env={"DATABASE_URL": "sqlite:///a", "WELLIO_DATABASE__URL": "sqlite:///b"})
    assert config.database.url
    assert config.database.url.get_secret_value() == "sqlite:///b"


def test_values_from_the_environment_and_from_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(MASTER_KEY + "\n")
    (tmp_path / "key").chmod(0o600)
    path = written(
        tmp_path,
        "database = {url = {env = 'PG'}}\nsecrets.master_key = {file = 'key'}\n"
        "server.port = {env = 'PORT'}\nplugins.auth.jwt_secret = {env = 'PG'}\n",
    )
    metrics_file = f'{{"file": "{tmp_path / "key"}"}}'
    config = load_config(
        path, env={"PG": "sqlite:///x", "PORT": "80", "WELLIO_SERVER__METRICS_TOKEN": metrics_file}
    )
    assert config.secrets.master_key
    assert config.secrets.master_key.get_secret_value() == MASTER_KEY
    assert config.database.url
    assert config.database.url.get_secret_value() == "sqlite:///x"
    assert config.server.port == 80
    assert config.server.metrics_token
    assert config.server.metrics_token.get_secret_value() == MASTER_KEY
    assert config.plugins == {"auth": {"jwt_secret": "sqlite:///x"}}


def test_a_secret_that_looks_like_json_stays_what_it_is() -> None:
    env = {"WELLIO_SETUP__OWNER_PASSWORD": "{1,[", "WELLIO_SETUP__OWNER_EMAIL": "a@b.example"}
    config = load_config(env=env)
    assert config.setup.owner_password
    assert config.setup.owner_password.get_secret_value() == "{1,["


def test_redis_is_accepted_with_a_warning_and_openai_without_a_word() -> None:
    assert load_config(env={"OPENAI_API_KEY": "k"}).warnings == ()
    (warning,) = load_config(env={"REDIS_URL": "redis://:s3cret@h"}).warnings
    assert "REDIS_URL" in warning
    assert "s3cret" not in warning


@pytest.mark.parametrize("mode, is_taken", [(0o600, True), (0o440, True), (0o604, False)])
def test_a_secrets_file_is_not_for_every_user(tmp_path: Path, mode: int, is_taken: bool) -> None:
    (tmp_path / "key").write_text(MASTER_KEY)
    (tmp_path / "key").chmod(mode)
    path = written(tmp_path, "secrets.master_key = {file = 'key'}")
    if is_taken:
        assert load_config(path, env={}).secrets.master_key
    else:
        [line] = problems(path=path)
        assert line.startswith("secrets.master_key in config.toml: the file key can be read by")


def test_all_secrets_are_known_to_be_secrets() -> None:
    given = {
        "database.url": "postgresql://u:s3cret@h/d",
        "secrets.master_key": MASTER_KEY,
        "server.metrics_token": "metrics s3cret",
        "setup.owner_email": "a@b.example",
        "setup.owner_password": "owner s3cret",
    }
    secrets = set(secret_values(load_config(env={}, overrides=given)))
    assert secrets == set(given.values()) - {"a@b.example"} | {"s3cret"}  # of the address


# -- refusals ------------------------------------------------------------------------------------


def test_every_wrong_setting_is_named_at_once_and_none_is_echoed() -> None:
    env = {
        "JWT_SECRET": "s3cret",
        "WELLIO_SERVER__PORT": "s3cret",
        "WELLIO_SERVER__HOTS": "s3cret",
        "WELLIO_SERVR__PORT": "s3cret",
        "WELLIO_LOG__LEVEL": "s3cret",
        "WELLIO_LOADER__DISABLED": "[s3cret",
        "WELLIO_SERVER__PUBLIC_URL": "ftp://s3cret",
        "WELLIO_SETUP__OWNER_EMAIL": "s3cret",
        "WELLIO_DATABASE": "s3cret",
        "WELLIO_COLOUR__X__Y": "s3cret",
    }
    assert problems(env) == [
        "JWT_SECRET: expected 32 bytes or more",
        "WELLIO_SERVER__PORT: must be a whole number",
        "WELLIO_SERVER__PUBLIC_URL: expected an address such as https://practice.example",
        "WELLIO_SERVER__HOTS: unknown setting; did you mean WELLIO_SERVER__HOST?",
        "WELLIO_DATABASE: must be a table",
        "WELLIO_LOG__LEVEL: must be 'debug', 'info', 'warning' or 'error'",
        'WELLIO_LOADER__DISABLED: must be a list such as ["a", "b"], or a,b in the environment',
        "setup: owner_email and owner_password are needed together",
        "WELLIO_COLOUR__X__Y: unknown setting",
        "WELLIO_SERVR__PORT: unknown setting; did you mean WELLIO_SERVER__PORT?",
    ]


@pytest.mark.parametrize(
    "variable, value, expected",
    [
        *(
            ("WELLIO_SERVER__PORT", value, "must be a whole number")
            for value in ("1_0", " 10", "+5", "5.0", "1e3", "0x10", "010", "\u0663", "true", "x")
        ),
        ("WELLIO_SERVER__PORT", "9" * 5000, "must be at most 65535"),
        ("WELLIO_SERVER__PORT", "-1", "must be at least 0"),
        *(
            ("WELLIO_SERVER__HEAD_TIMEOUT_S", value, "must be a number")
            for value in ("1_0", "+5", ".5", "5.", "inf", "nan", "0x10", "5s", "true")
        ),
        ("WELLIO_SERVER__HEAD_TIMEOUT_S", "1e400", "must be a finite number"),
        *(
            ("WELLIO_LOG__ACCESS", value, "must be true or false")
            for value in ("1", "0", "yes", "on", "True", "t")
        ),
        *(
            (
                "WELLIO_LOADER__DISABLED",
                value,
                "must have no empty item, such as behind a last comma",
            )
            for value in ("a,b,", ",a", "a,,b", ",", '["a", ""]', '[" "]')
        ),
        ("WELLIO_LOADER__DISABLED", "[1]", "must be text"),
        ("WELLIO_LOADER__DISABLED", '{"a": 1}', "must be a list"),
        ("WELLIO_SERVER__HOST", "\udcff", "must be UTF-8"),
        ("WELLIO_SERVER_PORT", "1", "unknown setting; did you mean WELLIO_SERVER__PORT?"),
        ("WELLIO_SERVR__PORT", "1", "unknown setting; did you mean WELLIO_SERVER__PORT?"),
        ("WELLIO_DATABASE_URL", "s3cret", "unknown setting; did you mean WELLIO_DATABASE__URL?"),
        ("WELLIO_DATADIR", "s3cret", "unknown setting; did you mean WELLIO_DATA_DIR?"),
        ("DATABASE_URL", "s3cret", "expected sqlite:/// with a path, or postgresql://"),
    ],
)
def test_a_variable_is_taken_for_nothing_that_it_is_not(
    variable: str, value: str, expected: str
) -> None:
    [line] = problems({variable: value})
    said, _, message = line.partition(": ")
    assert said.removesuffix(", item 1") == variable
    assert message.startswith(expected)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("server.port = '3000'", "server.port in config.toml: must be a whole number"),
        ("server.port = 3000.0", "server.port in config.toml: must be a whole number"),
        ("server.port = true", "server.port in config.toml: must be a whole number"),
        ("server.port = 1_0_0_0_0_0", "server.port in config.toml: must be at most 65535"),
        ("server.head_timeout_s = inf", "server.head_timeout_s in config.toml: must be a number"),
        ("server.head_timeout_s = '5'", "server.head_timeout_s in config.toml: must be a number"),
        ("log.access = 1", "log.access in config.toml: must be true or false"),
        ("log.access = 'true'", "log.access in config.toml: must be true or false"),
        ("server.host = 5", "server.host in config.toml: must be text"),
        (
            "loader.disabled = 'a,b'",
            (
                'loader.disabled in config.toml: must be a list such as ["a", "b"], or a,b in the '
                "environment"
            ),
        ),
        (
            "loader.disabled = ['a', '']",
            "loader.disabled in config.toml: must have no empty item, such as behind a last comma",
        ),
        (
            "[server]\nprot = 1",
            "server.prot in config.toml: unknown setting; did you mean server.port?",
        ),
    ],
)
def test_a_file_s_value_is_of_the_type_that_it_is_written_in(
    tmp_path: Path, text: str, expected: str
) -> None:
    assert problems(path=written(tmp_path, text)) == [expected]


def test_a_plugin_s_settings_are_read_by_the_same_rules(tmp_path: Path) -> None:
    class Knobs(SectionModel):
        size: int = 1
        names: tuple[str, ...] = ()

    path = written(tmp_path, "[plugins.knobs]\nsize = '7'\n")
    env = {"WELLIO_PLUGINS__KNOBS__NAMES": "a,", "WELLIO_PLUGINS__KNOBS__SIEZ": "1"}
    config = load_config(path, env=env)
    _, lines = validate_section(Knobs, config.plugins["knobs"], "plugins.knobs", config.origins)
    assert lines == [
        "plugins.knobs.size in config.toml: must be a whole number",
        "WELLIO_PLUGINS__KNOBS__NAMES: must have no empty item, such as behind a last comma",
        "WELLIO_PLUGINS__KNOBS__SIEZ: unknown setting; did you mean WELLIO_PLUGINS__KNOBS__SIZE?",
    ]
    good = {"WELLIO_PLUGINS__KNOBS__SIZE": "7", "WELLIO_PLUGINS__KNOBS__NAMES": "a, b"}
    config = load_config(env=good)
    section, _ = validate_section(Knobs, config.plugins["knobs"], "plugins.knobs")
    assert section == Knobs(size=7, names=("a", "b"))


@pytest.mark.parametrize(
    "text, expected",
    [
        ("[server]\nport = 70000", "server.port in config.toml: must be at most 65535"),
        (
            "limits.per_account = 7",
            'limits.per_account in config.toml: expected a rate such as "120+10/s"',
        ),
        (
            "server.trusted_proxies = ['10.0.0.1/8']",
            (
                "server.trusted_proxies in config.toml, item 1: "
                "expected an address or a network such as 10.0.0.0/8"
            ),
        ),
        (
            "server.allowed_origins = ['https://a.example/x']",
            (
                "server.allowed_origins in config.toml, item 1: "
                "expected an origin such as https://app.example or"
                ' capacitor://localhost, "null" or "*"'
            ),
        ),
        (
            "server.allowed_origins = ['https://*.example.org']",
            (
                "server.allowed_origins in config.toml, item 1: "
                'expected each site by its whole name, or "*" alone for any'
            ),
        ),
        (
            "server.public_url = 'https://h.example/wellio'",
            (
                "server.public_url in config.toml: "
                "expected an address without a path: Wellio answers at the root"
                " of a host, so give it a name of its own, such as https://wellio.practice.example"
            ),
        ),
        (
            "[sever]\nport = 1",
            "sever.port in config.toml: unknown setting; did you mean server.port?",
        ),
        ("colour = 1", "colour in config.toml: unknown setting"),
        (
            "server.host = {env = 'NOBODY'}",
            "server.host in config.toml: the environment has no variable NOBODY",
        ),
        (
            "server.host = {file = 'none'}",
            "server.host in config.toml: the file none cannot be read: No such file or directory",
        ),
        ("plugins.chat = 1", "plugins.chat in config.toml: must be a table"),
        (
            "database.url = 'mysql://s3cret@h/d'",
            "database.url in config.toml: expected sqlite:/// with a path, or postgresql://",
        ),
    ],
)
def test_a_wrong_file(tmp_path: Path, text: str, expected: str) -> None:
    assert problems(path=written(tmp_path, text)) == [expected]


def test_a_setting_that_is_used_as_a_table(tmp_path: Path) -> None:
    path = written(tmp_path, "server = 1")
    assert "WELLIO_SERVER__PORT: server is a single setting, not a table" in problems(
        {"WELLIO_SERVER__PORT": "1"}, path
    )


@pytest.mark.parametrize("text", ["[server", "\ud800"])
def test_a_file_that_is_no_toml(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ConfigError, match=r"config\.toml cannot be read"):
        load_config(path, env={})


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no file"):
        load_config(tmp_path / "none.toml", env={})


def test_no_repr_shows_a_secret() -> None:
    config = load_config(
        env={
            "DATABASE_URL": "postgresql://u:s3cret@h/d",
            "JWT_SECRET": f"{SECRET}-s3cret",
            "WELLIO_SECRETS__MASTER_KEY": MASTER_KEY,
            "WELLIO_SERVER__METRICS_TOKEN": "s3cret",
            "WELLIO_SETUP__OWNER_EMAIL": "a@b.example",
            "WELLIO_SETUP__OWNER_PASSWORD": "s3cret",
        }
    )
    shown = repr(config) + str(config)
    assert "s3cret" not in shown
    assert MASTER_KEY not in shown


# -- the files in the repository -----------------------------------------------------------------


@pytest.fixture(scope="module")
def plugin_models() -> dict[str, type[BaseModel]]:
    declared: dict[str, Any] = {
        offer.name: offer.load() for offer in discover(None) if offer.is_builtin
    }
    return {name: module.PLUGIN.config for name, module in declared.items() if module.PLUGIN.config}


def test_config_toml_has_every_setting_with_its_default(
    plugin_models: dict[str, type[BaseModel]],
) -> None:
    assert plugin_models  # else the comparison would say nothing about the plugins
    assert (ROOT / "config.toml").read_text() == toml_template(plugin_models)


def test_env_example_has_every_setting_with_its_default(
    plugin_models: dict[str, type[BaseModel]],
) -> None:
    assert (ROOT / ".env.example").read_text() == env_template(plugin_models)


def test_every_setting_is_explained(plugin_models: dict[str, type[BaseModel]]) -> None:
    text = toml_template(plugin_models)
    settings = re.findall(r"^(.*)\n# ([a-z_]+) = ?", text, re.MULTILINE)
    assert len(settings) > 20
    assert [name for line, name in settings if not line.startswith("# ")] == []


def test_the_defaults_in_config_toml_are_the_defaults(
    tmp_path: Path, plugin_models: dict[str, type[BaseModel]]
) -> None:
    """Take away the "#" of each line that has a value: nothing changes."""
    text = re.sub(r"^# ([a-z_]+ = .+)$", r"\1", toml_template(plugin_models), flags=re.MULTILINE)
    config = load_config(written(tmp_path, text), env={})
    assert config.model_copy(update={"plugins": {}}) == Config()
    for name, model in plugin_models.items():
        assert model.model_validate(config.plugins[name]) == model()


def test_the_proxy_that_we_ship_lets_go_of_a_connection_first() -> None:
    """What it sends on one that we close at that moment is a 502."""
    caddyfile = (ROOT / "container/Caddyfile").read_text()
    kept = re.search(r"^\s*keepalive (\d+)s$", caddyfile, re.MULTILINE)
    assert kept is not None
    assert int(kept[1]) < Config().server.head_timeout_s


@pytest.mark.parametrize(
    "host, url",
    [
        ("127.0.0.1", "http://localhost:3000"),
        ("::", "http://localhost:3000"),
        ("192.0.2.1", "http://192.0.2.1:3000"),
        ("2001:db8::1", "http://[2001:db8::1]:3000"),
    ],
)
def test_links_have_an_address_that_a_browser_takes(host: str, url: str) -> None:
    assert load_config(env={}, overrides={"server.host": host}).server.url == url


# -- addresses with a password in them -----------------------------------------------------------


@pytest.mark.parametrize("special", ["#", "/", "?", "@", "%", " ", "[", "\t"])
def test_a_password_that_is_not_encoded_is_told_without_a_piece_of_it(special: str) -> None:
    url = f"postgres://w:Ax^s{special}9!qSECRETz@127.0.0.1:5432/w"
    [line] = problems({"DATABASE_URL": url})
    assert line.startswith("DATABASE_URL: ")
    assert "percent-encode" in line
    assert not [piece for piece in ("Ax^s", "SECRETz", "9!q", "127") if piece in line]
    encoded = f"postgres://w:Ax^s{quote(special, safe='')}9!q:z@127.0.0.1:5432/w"
    url_read = load_config(env={"DATABASE_URL": encoded}).database.url
    assert url_read is not None
    assert url_read.get_secret_value() == encoded


@pytest.mark.parametrize(
    "query, kept",
    [
        ("sslmode=require&channel_binding=prefer", "?sslmode=require"),
        ("connect_timeout=10&keepalives=1&keepalives_idle=30", ""),
        ("gssencmode=disable&target_session_attrs=read-write", "?target_session_attrs=read-write"),
        ("host=%2Frun%2Fpg", "?host=%2Frun%2Fpg"),
        ("channel_binding=require", "channel_binding with this value is not supported"),
        ("gssencmode=require", "gssencmode with this value is not supported"),
        ("requirepeer=w", "requirepeer is no parameter that is supported"),
        ("S3CRET=w", "something behind the ? is no parameter"),
    ],
)
def test_parameters_of_hosted_servers_are_accepted_or_refused_by_name(
    query: str, kept: str
) -> None:
    env = {"DATABASE_URL": f"postgresql://w:p@db.example/w?{query}"}
    if kept and not kept.startswith("?"):
        [line] = problems(env)
        assert line.startswith(f"DATABASE_URL: {kept}")
        return
    url = load_config(env=env).database.url
    assert url is not None
    assert url.get_secret_value() == f"postgresql://w:p@db.example/w{kept}"


@pytest.mark.parametrize("special", ["#", "/", "?"])
def test_a_mail_server_s_password_is_not_told_either(special: str) -> None:
    url = f"mailtos://user:Ax^s{special}9qSECRETz@mx.example?from=a@b.example"
    said = "\n".join(problems({"WELLIO_MAIL__URL": url}))
    assert said.startswith("WELLIO_MAIL__URL: ")
    assert not [piece for piece in ("Ax^s", "SECRETz") if piece in said]


# -- what others put into the environment ----------------------------------------------------------


def test_kubernetes_links_are_no_settings_and_typing_errors_are() -> None:
    links = {
        "WELLIO_SERVICE_HOST": "10.0.0.5",
        "WELLIO_SERVICE_PORT": "4000",
        "WELLIO_SERVICE_PORT_HTTP": "4000",
        "WELLIO_PORT": "tcp://10.0.0.5:4000",
        "WELLIO_PORT_4000_TCP": "tcp://10.0.0.5:4000",
        "WELLIO_PORT_4000_TCP_ADDR": "10.0.0.5",
        "WELLIO_PORT_4000_TCP_PROTO": "tcp",
        "WELLIO_WEB_SERVICE_HOST": "fd00::5",
    }
    [warning] = load_config(env=links).warnings
    assert warning.startswith("WELLIO_PORT: Kubernetes sets it, and 7 more,")
    for variable, text in {
        "WELLIO_PORT": "4000",
        "WELLIO_SERVICE_HOST": "my machine",
        "WELLIO_SERVER__PROT": "1",
        "WELLIO_SERVER_PORT": "1",
    }.items():
        [line] = problems({**links, variable: text})
        assert "unknown setting" in line


@pytest.mark.parametrize("text", ['["a.example", "b.example"]', "a.example, b.example"])
def test_a_list_can_have_commas(text: str) -> None:
    names = text.replace("a.", "https://a.").replace("b.", "https://b.")
    config = load_config(env={"WELLIO_SERVER__ALLOWED_ORIGINS": names})
    assert config.server.allowed_origins == ("https://a.example", "https://b.example")


def test_what_is_no_list_is_told_what_one_is(tmp_path: Path) -> None:
    path = written(tmp_path, "[loader]\ndisabled = 3\n")
    expected = 'must be a list such as ["a", "b"], or a,b in the environment'
    assert problems(path=path) == [f"loader.disabled in config.toml: {expected}"]
    assert problems({"WELLIO_LOADER__DISABLED": "[chat"}) == [
        f"WELLIO_LOADER__DISABLED: {expected}"
    ]
