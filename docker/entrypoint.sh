#!/bin/sh
# Gives numba a writable copy of the kernels that were compiled with the image, then becomes the command: numba writes
# into its cache, and the image is read-only.
set -eu
compiled=${0%/bin/*}/kernels
if [ -d "$compiled" ] && [ ! -e "$NUMBA_CACHE_DIR" ]; then
    # Copied beside it and renamed, so that a second process never meets half a cache.
    copy=$(mktemp -d "$NUMBA_CACHE_DIR.XXXXXX")
    cp -R "$compiled/." "$copy/"
    mv -T "$copy" "$NUMBA_CACHE_DIR" 2>/dev/null || rm -rf "$copy"
fi
exec "$@"
