#!/bin/sh
# Makes .venv-oracle, in which libasterix stands beside our ASTERIX codec as a test oracle.  Without a network it
# says so and lets the tests skip.
set -eu
cd "$(dirname "$0")/.."
venv=.venv-oracle
made=$(cksum <requirements/oracle.txt)

if [ -f "$venv/.made-for" ] && [ "$(cat "$venv/.made-for")" = "$made" ] && "$venv/bin/python" -c "" 2>/dev/null; then
	exit 0
fi
echo "Making $venv for libasterix …"
rm -rf "$venv"
if .venv/bin/python -m venv "$venv" && "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
	--require-hashes -r requirements/oracle.txt; then
	echo "$made" >"$venv/.made-for"
else
	rm -rf "$venv"
	echo "libasterix could not be installed: the tests that compare with it are skipped." >&2
fi
