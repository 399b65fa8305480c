#!/bin/sh
# The browser tests need Debian's chromium: install it where that is possible, else they say so themselves.
set -eu
if command -v chromium >/dev/null 2>&1; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null || true
fi
if ! command -v chromium >/dev/null 2>&1; then
    echo "chromium is not installed and can't be installed here: the browser tests will be left out."
    [ "${CI:-}" != true ]
fi
