#!/bin/sh
# Make .venv with a Python of 3.11 to 3.13, unless a working one is there.
set -eu

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

if [ -x .venv/bin/python ] && fits .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
    exit 0
fi

python=""
for candidate in python3.12 python3.11 python3.13 python3 python; do
    if fits "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Digit Lab needs Python 3.11, 3.12 or 3.13, and none was found. Install one and try again." >&2
    exit 1
fi

rm -rf .venv
if ! "$python" -m venv .venv 2>/dev/null; then
    # Debian keeps venv's parts in a package of its own.
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing python$version-venv"
        apt-get update -qq && apt-get install -y -qq "python$version-venv"
        "$python" -m venv .venv
    else
        echo "$python can't make an environment. Install its venv part and try again:" >&2
        echo "    sudo apt-get install python$version-venv" >&2
        exit 1
    fi
fi
