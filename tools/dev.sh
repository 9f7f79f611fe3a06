#!/usr/bin/env bash
# `make dev`: the server, which restarts when Python changes, and Vite, which reloads the page. Ctrl-C stops both.
set -euo pipefail
cd "$(dirname "$0")/.."
page="http://127.0.0.1:5173"
export RETINUE_DEV_API="http://127.0.0.1:${RETINUE_PORT:-8000}"
export RETINUE_PUBLIC_URL="$page" # the sign-in link opens the page that reloads

set -m # each in a process group of its own, so that Ctrl-C comes here alone and both are asked to stop once
.venv/bin/retinue serve --reload &
server=$!
tools/npm.sh run dev </dev/null &
page_server=$!
stop() {
    trap - INT TERM EXIT
    kill -TERM -- "-$page_server" "-$server" 2>/dev/null || true
    wait "$server" "$page_server" 2>/dev/null || true
}
trap stop EXIT
trap 'exit 130' INT TERM
wait -n "$server" "$page_server" # whichever ends first takes the other with it
