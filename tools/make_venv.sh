#!/bin/sh
# Makes the virtual environment:  tools/make_venv.sh FOLDER [PYTHON]
# Takes the Python that is named, or the first on PATH that is 3.11 or newer; an environment that still works is kept.
# On Debian, where a Python may come without `venv`, it installs the missing package as root, or says the command.
set -eu

folder=$1
named=${2:-}
oldest=3.11

say() { printf '%s\n' "$*" >&2; }

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

is_usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if is_usable "$name"; then
            printf '%s\n' "$name"
            return
        fi
    done
}

if [ -n "$named" ]; then
    if ! is_usable "$named"; then
        found=$(version_of "$named" || true)
        say "$named is ${found:-no working Python}; Colony needs Python $oldest or newer: make setup PYTHON=/path/to/python3.11"
        exit 1
    fi
    python=$named
else
    python=$(find_python)
    if [ -z "$python" ]; then
        found=$(version_of python3 || true)
        say "Colony needs Python $oldest or newer, and here is ${found:-none}; install one and try again, or name it:" \
            "make setup PYTHON=/path/to/python3.11"
        exit 1
    fi
fi

if is_usable "$folder/bin/python" && "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

make_it() { "$python" -m venv --clear "$folder"; }

if "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    make_it
    exit 0
fi

package=python$(version_of "$python")-venv
if ! command -v apt-get >/dev/null 2>&1; then
    say "$python comes without the module venv; install it with your system's package manager and try again"
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    say "$python comes without the module venv; run: sudo apt-get install $package"
    exit 1
fi
say "installing $package, which $python needs to make a virtual environment"
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q --no-install-recommends "$package" >/dev/null 2>&1 ||
    { apt-get update -q && apt-get install -y -q --no-install-recommends "$package"; } >/dev/null
make_it
