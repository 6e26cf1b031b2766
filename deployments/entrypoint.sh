#!/bin/sh
# ultrathiio reads secret files by itself; Prefect does not. Those named PREFECT_… become variables here.
set -eu
for file in "${ULTRATHIIO_SECRETS_DIR:-/run/secrets}"/PREFECT_*; do
    if [ -f "$file" ]; then
        value=$(cat "$file")
        export "${file##*/}=$value"
    fi
done
exec "$@"
