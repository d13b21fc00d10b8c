#!/bin/sh
# Installs the one system package Colony likes to have: bubblewrap, which shuts programs in.
# Never fails the build: without it Colony runs, refuses what it cannot isolate, and says so (`colony doctor`).
set -u

say() { printf '%s\n' "$*"; }

if command -v bwrap >/dev/null 2>&1; then
    exit 0
fi
if [ "$(uname -s)" != Linux ]; then
    say "bubblewrap exists on Linux only: programs written by agents need a Linux machine or container to run in."
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    say "Please install bubblewrap with your system's package manager (for instance: dnf install bubblewrap)."
    exit 0
fi

if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    say "To isolate programs, run: sudo apt-get install bubblewrap"
    exit 0
fi

export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086  # as_root is a command with its option, or nothing
if ! { $as_root apt-get install -y -q --no-install-recommends bubblewrap ||
    { $as_root apt-get update -q && $as_root apt-get install -y -q --no-install-recommends bubblewrap; }; } >/dev/null 2>&1; then
    say "bubblewrap could not be installed; to isolate programs, run: apt-get install bubblewrap"
fi
exit 0
