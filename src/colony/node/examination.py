"""Examine the machine: what each class of work would be isolated by here, and which programs and versions there are."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any, get_args

import colony
from colony.node.home import Home
from colony.primitives.errors import ColonyError
from colony.sandbox import WorkClass, choose

_PACKAGES = ("numpy", "scipy", "cma", "libcst", "coincurve", "msgspec", "matplotlib")


def examine_machine(home: Home) -> dict[str, Any]:
    """What `colony doctor` says, JSON-able. `problems` are sentences with what to do about each."""
    classes = {name: _class(name) for name in get_args(WorkClass)}
    troubles = [f"{name} work is refused: {found['refused']}" for name, found in classes.items() if "refused" in found]
    for name, found in classes.items():
        if found.get("tier") == "process":
            troubles.append(f"{name} work runs in plain processes: install bubblewrap (apt-get install bubblewrap)")
    return {
        "colony": colony.__version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: _version(name) for name in _PACKAGES},
        "home": str(home.path),
        "runs": len(home.list_runs()),
        "isolation": classes,
        "problems": troubles,
    }


def _class(name: WorkClass) -> dict[str, Any]:
    try:
        isolation = choose(name).probe("warm" if name == "data" else "fork")
    except ColonyError as refusal:
        return {"refused": str(refusal)}
    return {**isolation.as_record(), "grade": isolation.grade}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"
