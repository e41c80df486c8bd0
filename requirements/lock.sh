#!/bin/sh
# Writes requirements/runtime.txt, test.txt and bench.txt: exact versions and hashes of all that opencram needs
# to run, to be tested, and to be measured beside its peers, for Python 3.11 to 3.13.  `sh requirements/lock.sh -U` raises the versions.
#
# The oldest Python resolves the lock: it needs every backport that a newer one may leave out.
set -eu
cd "$(dirname "$0")/.."
pip_tools=7.6.2

if [ ! -x .venv-lock/bin/pip-compile ]; then
	"${PYTHON:-python3.11}" -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --disable-pip-version-check "pip-tools==$pip_tools"
fi
compile() {
	CUSTOM_COMPILE_COMMAND="make lock" .venv-lock/bin/pip-compile --quiet --generate-hashes --strip-extras \
		--allow-unsafe --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
		--build-deps-for editable "$@" pyproject.toml
}
compile "$@" --extra display --output-file requirements/runtime.txt
compile "$@" --extra test --constraint requirements/runtime.txt --output-file requirements/test.txt
compile "$@" --extra bench --constraint requirements/runtime.txt --output-file requirements/bench.txt
