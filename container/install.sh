#!/bin/sh
# Makes a virtual environment of what runs, and of nothing else: `sh container/install.sh FOLDER`, in
# the project's root. The Dockerfile and tests/container do the same with it. PYTHON names the
# interpreter that the environment is for; python3 by default.
set -eu
target=$1
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT

python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
"$tools/bin/uv" build --quiet --wheel --require-hashes --build-constraints requirements/build.lock --out-dir "$tools/dist"

"${PYTHON:-python3}" -m venv --without-pip "$target"
install() {
    "$tools/bin/uv" pip install --quiet --python "$target/bin/python" --compile-bytecode "$@"
}
install --require-hashes -r requirements/runtime.lock
install --no-deps "$tools"/dist/*.whl
# The bill of materials, where whoever examines an image finds it (docs/security.md).
cp "$target"/lib/python3*/site-packages/wellio-*.dist-info/sboms/wellio.cdx.json "$target/"
