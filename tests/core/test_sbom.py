"""The bill of materials (CycloneDX): all that the locks hold, and the same bytes each time.

That the wheel has it, and that nothing else is installed, tests/container looks at.
"""

import base64
import itertools
import json
import re
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import pytest
from packaging.licenses import canonicalize_license_expression
from packaging.utils import canonicalize_name

import hatch_build
from tests.core.source_tree import ROOT

VERSION = "1.2.3"
WELLIO = f"pkg:pypi/wellio@{VERSION}"
LOCK = (ROOT / "requirements/runtime.lock").read_text()
NPM: Mapping[str, Any] = json.loads((ROOT / "package-lock.json").read_text())["packages"]
#: `pkg:type/name@version`, each percent-encoded: https://github.com/package-url/purl-spec
PURL = re.compile(r"pkg:(pypi|npm)/((?:%40[a-z0-9.-]+/)?[a-z0-9._-]+)@([\w.%-]+)")


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(hatch_build.bill_of_materials(ROOT, VERSION))
    return made


def by_purl(bill: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {component["purl"]: component for component in bill["components"]}


def test_every_line_of_the_runtime_lock_is_in_it_with_its_hashes(bill: Mapping[str, Any]) -> None:
    listed = by_purl(bill)
    pinned = 0
    for block in re.split(r"^(?=\w)", LOCK, flags=re.MULTILINE)[1:]:
        name, _, version = block.partition(" ")[0].partition("==")
        hashes = [{"alg": "SHA-256", "content": it} for it in re.findall(r"sha256:(\w{64})", block)]
        component = listed[f"pkg:pypi/{name}@{version}"]
        assert (component["name"], component["version"]) == (name, version)
        assert component["hashes"] == hashes
        assert hashes
        pinned += 1
    assert len([purl for purl in listed if purl.startswith("pkg:pypi/")]) == pinned > 40


def test_the_javascript_of_the_lock_is_in_it(bill: Mapping[str, Any]) -> None:
    listed = by_purl(bill)
    locked = {path: package for path, package in NPM.items() if path}
    for path, package in locked.items():
        name = path.removeprefix("node_modules/")
        component = listed[f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"]
        (digest,) = component["hashes"]
        packed = base64.b64encode(bytes.fromhex(digest["content"])).decode()
        assert (digest["alg"], f"sha512-{packed}") == ("SHA-512", package["integrity"])
        is_served = (ROOT / "wellio/http/static_assets" / name.removesuffix("-dist")).is_dir()
        assert component["scope"] == ("required" if is_served else "excluded")
    assert len([purl for purl in listed if purl.startswith("pkg:npm/")]) == len(locked) > 0


def test_each_has_the_licence_that_it_names_itself(bill: Mapping[str, Any]) -> None:
    for component in bill["components"]:
        ((_, expression),) = [it for choice in component["licenses"] for it in choice.items()]
        assert canonicalize_license_expression(expression) == expression
        if component["purl"].startswith("pkg:pypi/"):
            try:
                said = metadata.metadata(component["name"])["License-Expression"]
            except metadata.PackageNotFoundError:
                continue  # of another platform
            assert said in {None, expression}, f"requirements/licences.toml: {component['name']}"


def test_everything_leads_back_to_wellio(bill: Mapping[str, Any]) -> None:
    needs = {it["ref"]: it["dependsOn"] for it in bill["dependencies"]}
    assert set(needs) == {WELLIO, *by_purl(bill)}
    direct = {ref.partition("@")[0].removeprefix("pkg:pypi/") for ref in needs[WELLIO]}
    wanted = metadata.requires("wellio") or []
    assert direct - {"pkg:npm/swagger-ui-dist"} == {
        canonicalize_name(re.split(r"[^\w-]", it)[0]) for it in wanted if "extra ==" not in it
    }
    reached, found = set[str](), {WELLIO}
    while found:
        reached |= found
        found = set(itertools.chain.from_iterable(needs[ref] for ref in found)) - reached
    assert reached == set(needs)


def test_it_is_formed_as_cyclonedx_says(bill: Mapping[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])
    everything = [bill["metadata"]["component"], *bill["components"]]
    assert everything[0]["purl"] == WELLIO
    for component in everything:
        assert component["type"] in {"application", "library"}
        assert component["bom-ref"] == component["purl"]
        assert PURL.fullmatch(component["purl"]), component["purl"]
        assert component["name"]
    refs = [component["bom-ref"] for component in everything]
    assert len(set(refs)) == len(refs)
    for it in bill["dependencies"]:
        assert set(it["dependsOn"]) <= set(refs)
        assert len(set(it["dependsOn"])) == len(it["dependsOn"])


def test_it_is_the_same_each_time() -> None:
    """So whoever builds the wheel again can compare it, and it holds no clock and no machine."""
    first, again = (hatch_build.bill_of_materials(ROOT, VERSION) for _ in range(2))
    assert first == again
    assert str(ROOT).encode() not in first
    assert hatch_build.bill_of_materials(ROOT, "1.2.4") != first


@pytest.mark.parametrize(
    "pinned, version, name_of_marker",
    [
        ("a==1.0+local \\", "1.0%2Blocal", None),
        ("a[extra]==2 \\", "2", None),
        ("a==3 ; sys_platform == 'win32' \\", "3", "sys_platform == 'win32'"),
    ],
)
def test_a_lock_may_pin_otherwise(pinned: str, version: str, name_of_marker: str | None) -> None:
    text = f"{pinned}\n    --hash=sha256:00\n    # via wellio (pyproject.toml)\n"
    (component,), needs = hatch_build.python_packages(text, {"a": "MIT"}, WELLIO)
    assert component["purl"] == f"pkg:pypi/a@{version}"
    assert needs == {WELLIO: [component["purl"]]}
    markers = [it["value"] for it in component.get("properties", ())]
    assert markers == ([name_of_marker] if name_of_marker else [])


def test_a_package_without_a_licence_stops_the_build() -> None:
    text = "a==1 \\\n    --hash=sha256:00\n    # via wellio (pyproject.toml)\n"
    with pytest.raises(RuntimeError, match=r"licences\.toml has no line for a"):
        hatch_build.python_packages(text, {}, WELLIO)
