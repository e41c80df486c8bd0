#!/bin/sh
# Makes .venv from a lock file and installs opencram in it:  sh requirements/venv.sh runtime|test
#
# Does nothing while .venv was made from this lock, this pyproject.toml and a Python that still exists.
# PYTHON=/path/to/python chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."
lock=$1
venv=.venv

is_supported() {
	"$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' >/dev/null 2>&1
}

find_python() {
	for candidate in ${PYTHON:-python3.11 python3.12 python3.13 python3 python}; do
		if is_supported "$candidate"; then
			echo "$candidate"
			return
		fi
	done
	echo "opencram needs Python 3.11, 3.12 or 3.13; none was found${PYTHON:+ at PYTHON=$PYTHON}." >&2
	echo "On Debian 12:  sudo apt-get install python3 python3-venv     Elsewhere:  make PYTHON=/path/to/python3.11" >&2
	return 1
}

# What a lock asks for: its own bytes and those of pyproject.toml.
wanted() {
	cat "requirements/$1.txt" pyproject.toml requirements/venv.sh | cksum
}

is_made() {
	[ -f "$venv/.made-for-$1" ] && [ "$(cat "$venv/.made-for-$1")" = "$(wanted "$1")" ]
}

install_lock() {
	echo "Installing requirements/$1.txt …"
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$1.txt"
	wanted "$1" >"$venv/.made-for-$1"
}

if is_supported "$venv/bin/python" && is_made runtime && is_made "$lock"; then
	exit 0
fi

if ! is_supported "$venv/bin/python" || ! is_made runtime; then
	python=$(find_python)
	if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
		echo "$python cannot make virtual environments: its venv module is not installed." >&2
		echo "On Debian and Ubuntu:  sudo apt-get install python3-venv" >&2
		exit 1
	fi
	echo "Making $venv with $("$python" --version) …"
	rm -rf "$venv"
	"$python" -m venv "$venv"
	install_lock runtime
	"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
fi
if ! is_made "$lock"; then
	install_lock "$lock"
fi
