#!/bin/sh
# `make demo-live`: radars speaking ASTERIX over UDP → opencram live → MQTT broker → sirens, and a CAP file per alarm.
set -eu
cd "$(dirname "$0")/../.."
bin=${BIN:-.venv/bin}
out=out/live
command -v mosquitto >/dev/null || PATH=$PATH:/usr/sbin
rm -rf "$out"
mkdir -p "$out"
cat examples/seven-rockets/site.toml >"$out/site.toml"
printf '\n' >>"$out/site.toml"
cat examples/live/live.toml >>"$out/site.toml"

if [ -z "${EMBEDDED_BROKER:-}" ] && command -v mosquitto >/dev/null; then
	mosquitto -p 11883 >"$out/broker.txt" 2>&1 &
else
	echo "demo-live: the small broker of examples/live, since mosquitto is not installed (or EMBEDDED_BROKER is set)"
	"$bin/python" examples/live/broker.py 11883 >"$out/broker.txt" 2>&1 &
fi
broker=$!
sleep 0.5
"$bin/python" examples/live/sirens.py 127.0.0.1:11883 opencram &
sirens=$!
"$bin/opencram" live "$out/site.toml" >"$out/live.txt" &
live=$!
trap 'kill $live $sirens $broker 2>/dev/null || true; wait' EXIT INT TERM
until grep -q '^live:' "$out/live.txt"; do
	kill -0 $live
	sleep 0.2
done
echo "The health page while it runs: http://127.0.0.1:18470/"
"$bin/python" examples/live/radars.py "$out/site.toml" examples/seven-rockets/plots.ndjson 127.0.0.1:18600
sleep 3
kill $live
wait $live || true
"$bin/python" examples/live/latency.py "$out/log/live-000001.opencram"
echo "CAP files: $out/cap ($(ls "$out/cap" | wc -l)); log: $out/log/live-000001.opencram; replay it with  opencram replay"
