"""`routing.toml` read into a table: strict, and each complaint names the file, the line and the key.

The file that ships with the package, `default.toml`, is read by the same function; a user's file replaces it whole.
What this file does not do: find the user's file (node), read an environment variable, or ask a network.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from importlib import resources
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeVar, get_args

from colony.primitives.errors import UsageError
from colony.primitives.limits import ROUTING_FILE_CHARACTERS_MAX, ROUTING_NAMES_MAX
from colony.routing.table import (
    MODES,
    SOLVERS,
    Agent,
    Learning,
    Limits,
    Model,
    Price,
    Provider,
    Row,
    Table,
    is_loopback,
    runs_elsewhere,
)
from colony.routing.tiers import Tier
from colony.tasks.task import Size

VERSION: Final = 1
KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("version", "solvers", "providers", "models", "agents", "hints", "tiers", "limits", "learning"),
    "providers": ("local", "endpoint", "key", "prices"),
    "models": ("provider", "id", "tiers", "context_tokens", "price"),
    "agents": ("tiers", "capacity"),
    "tiers": ("mode", "blast_radius", "fallbacks"),
    "limits": ("task_dollars", "day_dollars", "month_dollars"),
    "learning": ("explore", "hour_dollars", "prior_mass", "evidence_max", "attempt_seconds"),
    "price": ("input_per_million", "output_per_million"),
}
_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]*", re.ASCII)
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]*", re.ASCII)  # no lower case, which most secrets have
_BARE: Final = re.compile(r"[\w-]+", re.ASCII)
_HINT: Final = re.compile(r"[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*", re.ASCII)

Path = tuple[str, ...]
T = TypeVar("T")


def default_text() -> str:
    """The table that ships with the package, to be copied and edited."""
    return resources.files("colony.routing").joinpath("default.toml").read_text("utf-8")


def default_table() -> Table:
    """The table that ships with the package."""
    return table_from(default_text(), name="default.toml")


def table_from(text: str, *, name: str = "routing.toml") -> Table:
    """The table that a file's text describes; `name` stands in messages.

    Raises:
        UsageError: broken TOML, an unknown or missing key, a value out of range, or a name that nothing defines.

    """
    if len(text) > ROUTING_FILE_CHARACTERS_MAX:
        raise UsageError(f"{name}: {len(text)} characters; at most {ROUTING_FILE_CHARACTERS_MAX} are allowed")
    try:
        return _Reader(text, tomllib.loads(text), name).table()
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{name}: broken TOML: {error}; correct the file") from None


class _Reader:
    """One reading of one file. Each method reads one kind of thing; `_fail` is the only way out."""

    def __init__(self, text: str, root: Mapping[str, Any], name: str) -> None:
        self._text, self._root, self._name = text, root, name

    def table(self) -> Table:
        self._only(self._root, (), "")
        if self._root.get("version") != VERSION:
            self._fail(("version",), f"must be {VERSION}, the only version there is")
        providers = self._each("providers", self._provider)
        models = self._each("models", lambda path, values: self._model(path, values, providers))
        return Table(
            providers=providers,
            models=models,
            agents=self._each("agents", self._agent),
            hints=self._hints(models),
            rows=self._rows(models),
            solvers=frozenset(self._names((), self._root, "solvers")),
            limits=Limits(**self._numbers("limits", lowest=0.0)),
            learning=self._learning(),
        )

    def _provider(self, path: Path, values: Mapping[str, Any]) -> Provider:
        local = self._typed(path, values, "local", bool, default=False)
        endpoint = self._typed(path, values, "endpoint", str, default=None)
        key = self._typed(path, values, "key", str, default=None)
        if local and (endpoint is None or not is_loopback(endpoint)):
            self._fail(
                (*path, "endpoint"), f"{endpoint!r} is not this machine; a local provider needs a loopback address"
            )
        if key is not None and not _VARIABLE.fullmatch(key):
            self._fail((*path, "key"), "must be the name of an environment variable, and never the secret itself")
        prices = self._typed(path, values, "prices", str, default=None)
        return Provider(name=path[-1], declared_local=local, endpoint=endpoint, key=key, prices=prices)

    def _model(self, path: Path, values: Mapping[str, Any], providers: Mapping[str, Provider]) -> Model:
        provider = self._known(path, values, "provider", providers)
        name = self._typed(path, values, "id", str)
        if not name:
            self._fail((*path, "id"), "is empty")
        if providers[provider].is_local and runs_elsewhere(name):
            self._fail((*path, "id"), f"{name!r} runs on somebody else's machine; give it a provider that is not local")
        lowest, highest = self._range(path, values, first=Tier.T1, last=Tier.T4)
        context = self._typed(path, values, "context_tokens", int, default=None)
        if context is not None and context < 1:
            self._fail((*path, "context_tokens"), "must be at least 1")
        price = self._price(path, values)
        return Model(
            name=path[-1],
            provider=provider,
            id=name,
            lowest=lowest,
            highest=highest,
            context_tokens=context,
            price=price,
        )

    def _price(self, path: Path, values: Mapping[str, Any]) -> Price | None:
        price, at = values.get("price"), (*path, "price")
        if price is None:
            return None
        if price == "free":
            return Price(0.0, 0.0)
        if not isinstance(price, dict):
            self._fail(at, 'must be "free" or { input_per_million = dollars, output_per_million = dollars }')
        self._only(price, at, "price")
        amounts = [self._number(at, price, key, lowest=0.0) for key in KEYS["price"]]
        return Price(amounts[0], amounts[1])

    def _agent(self, path: Path, values: Mapping[str, Any]) -> Agent:
        lowest, highest = self._range(path, values, first=Tier.T0, last=Tier.T5)
        capacity = self._typed(path, values, "capacity", int, default=1)
        if capacity < 1:
            self._fail((*path, "capacity"), "must be at least 1")
        if path[-1] == SOLVERS:
            self._fail(path, f"{SOLVERS!r} is the name of those who need no model; choose another")
        return Agent(name=path[-1], lowest=lowest, highest=highest, capacity=capacity)

    def _hints(self, models: Mapping[str, Model]) -> Mapping[str, str]:
        section = self._section((), self._root, "hints")
        for hint in section:
            if not _HINT.fullmatch(hint):
                self._fail(("hints", hint), 'must look like "provider.tier", in lower case and quotes')
            self._known(("hints",), section, hint, models)
        return MappingProxyType(dict(section))

    def _rows(self, models: Mapping[str, Model]) -> Mapping[Tier, Row]:
        section = self._section((), self._root, "tiers")
        rows = {}
        for name, values in section.items():
            path = ("tiers", name)
            if name not in Tier.__members__:
                self._fail(path, f"no tier; there are {', '.join(Tier.__members__)}")
            self._only(self._section(("tiers",), section, name), path, "tiers")
            mode, size = self._one_of(path, values, "mode", MODES), values.get("blast_radius")
            if size is not None:
                size = self._one_of(path, values, "blast_radius", get_args(Size))
            fallbacks = self._names(path, values, "fallbacks")
            for model in fallbacks:
                self._known((*path, "fallbacks"), {model: model}, model, models)
            rows[Tier[name]] = Row(mode=mode, size=size, fallbacks=fallbacks)
        missing = [tier.name for tier in Tier if tier not in rows]
        if missing:
            self._fail(("tiers",), f"{missing[0]} is missing; each of {', '.join(Tier.__members__)} needs its table")
        return MappingProxyType(rows)

    def _learning(self) -> Learning:
        section = dict(self._section((), self._root, "learning"))
        explore = self._typed(("learning",), section, "explore", bool, default=True)
        numbers = self._numbers("learning", lowest=0.0, but=("explore",))
        for key in ("prior_mass", "evidence_max", "attempt_seconds"):
            if numbers.get(key) == 0:
                self._fail(("learning", key), "must be above 0")
        return Learning(explore=explore, **numbers)

    # -- leaves ---------------------------------------------------------------------------------------------------

    def _each(self, section: str, read: Callable[[Path, Mapping[str, Any]], T]) -> Mapping[str, T]:
        found: dict[str, T] = {}
        tables = self._section((), self._root, section)
        if len(tables) > ROUTING_NAMES_MAX:
            self._fail((section,), f"{len(tables)} of them; at most {ROUTING_NAMES_MAX} are allowed")
        for name in tables:
            path = (section, name)
            if not _NAME.fullmatch(name):
                self._fail(path, "a name has lower case letters, digits, dots, dashes and underscores")
            values = self._section((section,), tables, name)
            self._only(values, path, section)
            found[name] = read(path, values)
        return MappingProxyType(found)

    def _section(self, path: Path, parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = parent.get(key, {})
        if not isinstance(value, dict):
            self._fail((*path, key), f"must be a table, not {value!r}")
        return value

    def _only(self, values: Mapping[str, Any], path: Path, kind: str) -> None:
        for key in values:
            if key not in KEYS[kind]:
                self._fail((*path, key), f"unknown key; allowed are {', '.join(KEYS[kind])}")

    def _typed(self, path: Path, values: Mapping[str, Any], key: str, wanted: type, **default: Any) -> Any:
        if key not in values:
            return default["default"] if default else self._fail((*path, key), "is missing")
        value = values[key]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            self._fail((*path, key), f"must be of type {wanted.__name__}, not {value!r}")
        return value

    def _known(self, path: Path, values: Mapping[str, Any], key: str, known: Mapping[str, Any]) -> str:
        name: str = self._typed(path, values, key, str)
        if name not in known:
            self._fail((*path, key), f"{name!r} is not defined; there are {', '.join(known) or 'none'}")
        return name

    def _one_of(self, path: Path, values: Mapping[str, Any], key: str, allowed: tuple[Any, ...]) -> Any:
        value = self._typed(path, values, key, str)
        return value if value in allowed else self._fail((*path, key), f"one of {', '.join(allowed)}, not {value!r}")

    def _names(self, path: Path, values: Mapping[str, Any], key: str) -> tuple[str, ...]:
        names = values.get(key, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._fail((*path, key), f"must be a list of names, not {names!r}")
        return tuple(names)

    def _range(self, path: Path, values: Mapping[str, Any], *, first: Tier, last: Tier) -> tuple[Tier, Tier]:
        allowed = [tier.name for tier in Tier if first <= tier <= last]
        names, at = self._names(path, values, "tiers"), (*path, "tiers")
        if len(names) not in (1, 2) or not all(name in allowed for name in names):
            self._fail(at, f"must be the first and the last tier of {', '.join(allowed)}, or one, not {list(names)!r}")
        lowest, highest = Tier[names[0]], Tier[names[-1]]
        return (lowest, highest) if lowest <= highest else self._fail(at, f"{names[0]} comes after {names[-1]}")

    def _number(self, path: Path, values: Mapping[str, Any], key: str, *, lowest: float) -> float:
        value = values.get(key)
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not is_number or value < lowest:  # type: ignore[operator]  # it is a number here
            self._fail((*path, key), f"must be a number of at least {lowest:g}, not {value!r}")
        return float(value)  # type: ignore[arg-type]  # the same

    def _numbers(self, section: str, *, lowest: float, but: tuple[str, ...] = ()) -> dict[str, float]:
        values = self._section((), self._root, section)
        self._only(values, (section,), section)
        return {key: self._number((section,), values, key, lowest=lowest) for key in values if key not in but}

    def _fail(self, path: Path, problem: str) -> NoReturn:
        shown = ".".join(part if _BARE.fullmatch(part) else f'"{part}"' for part in path)
        raise UsageError(f"{self._name}, line {line_of(self._text, path)}: {shown}: {problem}")


def line_of(text: str, path: Path) -> int:
    """The line, from 1, where a key of a TOML text is written, or the nearest table above it that is."""
    best, depth = 1, 0
    here: Path = ()
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if header := re.fullmatch(r"\[\s*([^\[\]]+?)\s*\]\s*(#.*)?", bare):
            here = _parts(header[1])
            reached = here
        elif found := re.match(r"""((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""", bare):
            reached = here + _parts(found[1])
        else:
            continue
        if len(reached) > depth and path[: len(reached)] == reached:
            best, depth = number, len(reached)
    return best


def _parts(dotted: str) -> Path:
    found = re.findall(r"""[\w-]+|"[^"]*"|'[^']*'""", dotted)
    return tuple(part.strip("\"'") for part in found)
