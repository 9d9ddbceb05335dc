#!/bin/sh
# Print the path of a Chromium; install Debian's where there is none and that is allowed.
set -eu

find_browser() {
    for name in "${DIGITLAB_BROWSER:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        if [ -n "$name" ] && command -v "$name" 2>/dev/null; then
            return 0
        fi
    done
    return 1
}

find_browser && exit 0

as_root=""
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root="sudo"
    else
        echo "The tests need a Chromium. Install one and try again: sudo apt-get install chromium" >&2
        exit 1
    fi
fi
if ! command -v apt-get >/dev/null; then
    echo "The tests need a Chromium. Install one, or name it in DIGITLAB_BROWSER." >&2
    exit 1
fi
echo "Installing chromium for the tests in a browser" >&2
$as_root apt-get update -qq >&2
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq chromium >&2
find_browser
