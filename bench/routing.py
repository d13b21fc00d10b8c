"""The router on the SYNTHETIC benchmark, beside always cheap, always strong, random, its own priors and the oracle.

    python bench/routing.py            20 worlds of each kind, the tables, and regret curves as a picture
    python bench/routing.py --quick    4 worlds, no picture

Everything about the worlds is invented (src/colony/routing/synthetic.py); the figures say how well the router finds out
what it could have known, and nothing about any real model. Cost is money and waiting. Worlds of seeds from 100 on were
used while the defaults were chosen; those reported are 0 to 19. Intervals are bootstrapped over worlds. The last line
is JSON with the bars. It prints too how the rules of error fingerprints do on their corpus. What it does not measure:
calls to any model.
"""

from __future__ import annotations

import argparse
import json
import time
import tomllib
from collections import defaultdict
from pathlib import Path

import matplotlib as mpl
import numpy as np

from colony.routing.fingerprints import fingerprint
from colony.routing.replay import Fixed, Replay, Routed, replayed
from colony.routing.synthetic import EASY, HARD, NAMES, World, world
from colony.routing.table import Learning

TASKS = 2000
WORLDS = 20
KINDS_OF_WORLD = {
    "easy": {"shares": EASY},
    "hard": {"shares": HARD},
    "easy, drift": {"shares": EASY, "drift": True},
    "easy, attempts at one task depend on each other": {"shares": EASY, "hardness": 1.5},
}
ROOT = Path(__file__).parent.parent
ERRORS = ROOT / "tests" / "routing" / "errors"
PICTURE = ROOT / "docs" / "results" / "2026-11-21-routing-regret.png"


def policies(place: World, seed: int) -> dict[str, object]:
    """Every policy of the comparison, for one world."""
    stream = np.random.default_rng([seed, 1])
    return {
        "oracle": Fixed(place.oracle),
        "router": Routed(place, Learning(), stream=np.random.default_rng([seed, 2])),
        "router, no exploration": Routed(place, Learning(), stream=None),
        "router, no learning": Routed(place, Learning(), stream=None, learns=False),
        "always cheap, then dearer": Fixed(lambda _: NAMES),
        "random order": Shuffled(stream),
        "always strong, then cheaper": Fixed(lambda _: NAMES[::-1]),
        "cheapest once": Fixed(lambda _: NAMES, attempts_max=1),
        "strongest once": Fixed(lambda _: NAMES[::-1], attempts_max=1),
    }


class Shuffled(Fixed):
    """A new order for each task."""

    def __init__(self, stream: np.random.Generator) -> None:
        self._orders: dict[int, list[str]] = {}
        super().__init__(lambda task: self._orders.setdefault(task, list(stream.permutation(NAMES))))


def interval(values: np.ndarray) -> str:
    """The median with a 95% bootstrapped interval."""
    stream = np.random.default_rng(0)
    medians = np.median(stream.choice(values, (2000, len(values))), axis=1)
    low, high = np.quantile(medians, [0.025, 0.975])
    return f"{np.median(values):.3f} ({low:.3f}-{high:.3f})"


def measured(worlds: int, options: dict[str, object]) -> dict[str, list[Replay]]:
    """Each policy's replay of each world."""
    found: dict[str, list[Replay]] = defaultdict(list)
    for seed in range(worlds):
        place = world(seed, tasks=TASKS, **options)
        for name, policy in policies(place, seed).items():
            found[name].append(replayed(place, policy))
    return found


def ratios(found: dict[str, list[Replay]], name: str, part: slice) -> np.ndarray:
    """Cost over the oracle's, world by world."""
    return np.array(
        [a.costs[part].sum() / b.costs[part].sum() for a, b in zip(found[name], found["oracle"], strict=True)]
    )


def table(title: str, found: dict[str, list[Replay]]) -> None:
    """Print one table in Markdown."""
    print(f"\n### Worlds: {title}\n")
    print("| policy | cost over the oracle's, all tasks | the last 1,000 | success | two cheapest tiers | attempts |")
    print("|---|---|---|---|---|---|")
    for name, replays in found.items():
        success, cheap, attempts = (
            np.mean([getattr(r, f) for r in replays]) for f in ("succeeded", "cheap", "attempts")
        )
        cells = [interval(ratios(found, name, part)) for part in (slice(None), slice(TASKS // 2, None))]
        print(f"| {name} | {cells[0]} | {cells[1]} | {success:.2%} | {cheap:.1%} | {attempts:.2f} |")


def draw(results: dict[str, dict[str, list[Replay]]]) -> None:
    """Regret curves: the median over worlds of what a policy has cost more than the oracle."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(11, 7.5), sharex=True, layout="constrained")
    shown = ("router", "router, no exploration", "router, no learning", "always cheap, then dearer", "random order")
    for axis, (title, found) in zip(axes.flat, results.items(), strict=True):
        for name in shown:
            regret = np.array([np.cumsum(a.costs - b.costs) for a, b in zip(found[name], found["oracle"], strict=True)])
            low, middle, high = np.quantile(regret, [0.25, 0.5, 0.75], axis=0)
            (line,) = axis.plot(middle, label=name)
            axis.fill_between(np.arange(TASKS), low, high, color=line.get_color(), alpha=0.15, linewidth=0)
        axis.set_yscale("symlog", linthresh=1.0)
        axis.set_title(f"Worlds: {title}")
        axis.grid(alpha=0.3)
    for axis in axes[:, 0]:
        axis.set_ylabel("dollars above the oracle (log beyond 1)")
    for axis in axes[1]:
        axis.set_xlabel("tasks")
    axes[0, 0].legend(fontsize=8)
    figure.suptitle("Regret on the SYNTHETIC benchmark: medians and quartiles over worlds")
    figure.savefig(PICTURE, dpi=75)


def errors() -> None:
    """Print how the rules of fingerprints do on the corpus they were made with, and on what they had not seen."""
    print("\n### Fingerprints\n\n| corpus | groups | texts | split | groups that share one |\n|---|---|---|---|---|")
    for name in ("corpus", "unseen"):
        groups = tomllib.loads((ERRORS / f"{name}.toml").read_text("utf-8"))["group"]
        marks = [{str(fingerprint(text)) for text in group["texts"]} for group in groups]
        shared = sum(map(len, marks)) - len(set().union(*marks))
        texts = sum(len(group["texts"]) for group in groups)
        print(f"| {name} | {len(groups)} | {texts} | {sum(len(each) > 1 for each in marks)} | {shared} |")


def speed(rounds: int) -> None:
    """Print what one route and one fingerprint take."""
    place = world(0, tasks=rounds)
    router = Routed(place, Learning(), stream=np.random.default_rng(0))
    text = (ERRORS / "corpus.toml").read_text("utf-8")[:1000]
    for name, act in (
        ("route", lambda task: router.next_model(task, ())),
        ("fingerprint", lambda _: fingerprint(text)),
    ):
        started = time.process_time()
        for task in range(rounds):
            act(task)
        print(f"\none {name}: {(time.process_time() - started) / rounds * 1e6:.0f} microseconds of CPU")


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    started = time.process_time()
    results = {title: measured(4 if quick else WORLDS, options) for title, options in KINDS_OF_WORLD.items()}
    for title, found in results.items():
        table(title, found)
    errors()
    speed(200 if quick else 2000)
    if not quick:
        draw(results)
    easy = results["easy"]
    ratio = float(np.median(ratios(easy, "router", slice(None))))
    same = all(np.array_equal(a.succeeded, b.succeeded) for a, b in zip(easy["router"], easy["oracle"], strict=True))
    cheap = float(np.mean([replay.cheap for replay in easy["router"]]))
    bars = {
        "cost_over_oracle": {"value": round(ratio, 4), "bar": 1.1, "kept": ratio <= 1.1},
        "success_as_the_oracle": {"value": same, "bar": True, "kept": same},
        "two_cheapest_tiers": {"value": round(cheap, 4), "bar": 0.8, "kept": cheap >= 0.8},
    }
    print("\n" + json.dumps({"bench": "routing", "cpu_seconds": round(time.process_time() - started, 1), "bars": bars}))


if __name__ == "__main__":
    main()
