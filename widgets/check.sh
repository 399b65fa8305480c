#!/bin/sh
# Rebuild the front end and fail where the committed asset differs; without node, say what is left out.
set -eu
cd "$(dirname "$0")"
if ! command -v npm >/dev/null 2>&1; then
    echo "Left out: the front end's checks, for node is not installed."
    [ "${CI:-}" != true ]
    exit
fi
npm ci --no-audit --no-fund --loglevel=error
npm run --silent check
npm test --silent
npm run --silent build
git diff --exit-code -- ../soundforge_nb/dashboards/static || {
    echo "The built front end differs from the committed one: run make widgets and commit it."
    exit 1
}
