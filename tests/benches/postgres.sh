#!/bin/bash
# Durable ingest into PostgreSQL: the store against a bare libpq pipeline of the same rows.
set -euo pipefail
"$EPLAN_BUILD/benches/bench_postgres_ingest" "${1:-20480}"
