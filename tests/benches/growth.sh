#!/bin/bash
# Assessments a second in the library, and rows a second of `eplan growth`, file in to file out on one core.
set -euo pipefail
rows=${1:-1000000}
"$EPLAN_BUILD/benches/bench_growth"

scratch=$(mktemp -d "${EPLAN_BUILD}/bench-growth.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
"$EPLAN_BUILD/benches/bench_growth" rows "$rows" >"$scratch/in.csv"
TIMEFORMAT='%R %U %S'
for _ in 1 2 3 4 5; do
    { time "$EPLAN_BINARY" growth <"$scratch/in.csv" >"$scratch/out.csv"; } 2>>"$scratch/times"
done
[ "$(wc -l <"$scratch/out.csv")" -eq $((rows + 1)) ] || { echo "not one row out per row in" >&2; exit 1; }
sort -n "$scratch/times" | awk -v rows="$rows" '
    { wall[NR] = $1; cpu[NR] = $2 + $3 }
    END {
        m = int((NR + 1) / 2)
        printf "eplan growth       %10.0f rows/s of wall time, %.0f rows/s of CPU time (median of %d runs of %d rows; spread %.0f %%)\n", rows / wall[m], rows / cpu[m], NR, rows, 100 * (wall[NR] - wall[1]) / wall[m]
        printf "wanted: 200000 rows/s of one core: %s\n", (rows / cpu[m] >= 200000 ? "met" : "not met")
    }'
