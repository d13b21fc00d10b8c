"""Figures of a comparison as PNG and SVG: for each task, quality over evaluations, speed-up and overhead over size.

Bands and bars are 95 % bootstrap intervals of the medians. Matplotlib is imported only here.
"""

from __future__ import annotations

import math
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from colony.experiments.comparison import CURVE_POINTS, Comparison
from colony.experiments.plan import Basis
from colony.experiments.statistics import median_of
from colony.experiments.verdict import Cell, cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS: Final = MappingProxyType({"single": "#666666", "parallel": "#d1701c", "swarm": "#1f6fb4"})
_OTHERS: Final = ("#5b9a57", "#8a62b5", "#b0413e", "#3f9a99")
_AXES: Final = MappingProxyType({"evaluations": "evaluations of the whole team", "wall": "seconds"})


def draw(comparison: Comparison, task: str, folder: Path) -> str:
    """Write one task's figure into `folder`; returns its name without suffix."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    bases = comparison.plan.bases
    figure = Figure(figsize=(4.6 * (len(bases) + 2), 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    panels: list[Axes] = list(figure.subplots(1, len(bases) + 2))
    for axes, basis in zip(panels, bases, strict=False):
        _quality(axes, comparison, task, basis)
    _speed_up(panels[-2], comparison, task)
    _overhead(panels[-1], comparison, task)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, color="0.92")
        axes.set_axisbelow(True)
    figure.suptitle(
        f"{comparison.plan.experiment}: {task} ({comparison.plan.seeds} seeds, medians with 95 % intervals)"
    )
    stem = folder / f"{comparison.plan.experiment}-{task}"
    figure.savefig(stem.with_name(f"{stem.name}.png"), dpi=85)
    figure.savefig(stem.with_name(f"{stem.name}.svg"), metadata={"Date": None})
    return stem.name


def _quality(axes: Axes, comparison: Comparison, task: str, basis: Basis) -> None:
    plan = comparison.plan
    allowance = plan.tasks[task]
    total = allowance.evaluations if basis == "evaluations" else allowance.wall_seconds
    places = [total * (i + 1) / CURVE_POINTS for i in range(CURVE_POINTS)]
    for configuration in plan.configurations:
        agents = 1 if configuration == "single" else plan.verdict_agents
        rows = comparison.select(task, basis, configuration, agents)
        if not rows:
            continue
        medians = [median_of([row.curve[i] for row in rows]) for i in range(CURVE_POINTS)]
        colour = _colour(comparison, configuration)
        label = configuration if configuration == "single" else f"{configuration}, {agents} agents"
        axes.plot(places, [m.median for m in medians], color=colour, label=label, linewidth=1.6)
        axes.fill_between(places, [m.low for m in medians], [m.high for m in medians], color=colour, alpha=0.18)
    axes.set_xlabel(_AXES[basis])
    axes.set_ylabel("quality")
    axes.set_title(f"At equal {'evaluations' if basis == 'evaluations' else 'wall time'}", fontsize=10)
    axes.legend(fontsize=8, loc="lower right", framealpha=0.9)


def _speed_up(axes: Axes, comparison: Comparison, task: str) -> None:
    """Seconds to the solution of one agent, over those of N; no point where half of the trials solved nothing."""
    one = cell(comparison, task, "evaluations", "single", 1)
    alone = one.seconds_to_solution.median if one else math.inf
    drawn = 0
    for configuration in _sized(comparison):
        cells = [c for c in _cells(comparison, task, configuration) if c.seconds_to_solution.known]
        if math.isinf(alone) or not cells:
            continue
        drawn += 1
        ratios = [alone / c.seconds_to_solution.median for c in cells]
        axes.plot(
            [c.agents for c in cells], ratios, "o-", color=_colour(comparison, configuration), label=configuration
        )
    sizes = comparison.plan.agents
    if drawn:
        axes.plot(sizes, sizes, ":", color="0.6", label="as many times as agents")
        axes.legend(fontsize=8, loc="upper left")
    else:
        axes.text(
            0.5, 0.5, "one agent did not solve it", ha="center", va="center", transform=axes.transAxes, color="0.4"
        )
    _log_sizes(axes, sizes)
    axes.set_ylabel("times faster to the solution than one agent")
    axes.set_title("Speed-up over size", fontsize=10)


def _overhead(axes: Axes, comparison: Comparison, task: str) -> None:
    for configuration in _sized(comparison):
        cells = _cells(comparison, task, configuration)
        if cells:
            sizes, shares = [c.agents for c in cells], [c.overhead for c in cells]
            errors: Any = [[100 * (s.median - s.low) for s in shares], [100 * (s.high - s.median) for s in shares]]
            colour = _colour(comparison, configuration)
            heights = [100 * s.median for s in shares]
            axes.errorbar(sizes, heights, errors, fmt="o-", capsize=3, color=colour, label=configuration)
    _log_sizes(axes, comparison.plan.agents)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("% of the agents' time in transactions")
    axes.set_title("Overhead over size", fontsize=10)
    axes.legend(fontsize=8)


def _sized(comparison: Comparison) -> list[str]:
    return [name for name in comparison.plan.configurations if name != "single"]


def _cells(comparison: Comparison, task: str, configuration: str) -> list[Cell]:
    made = (cell(comparison, task, "evaluations", configuration, size) for size in comparison.plan.agents)
    return [c for c in made if c is not None]


def _log_sizes(axes: Axes, sizes: tuple[int, ...]) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.set_xlabel("agents")


def _colour(comparison: Comparison, configuration: str) -> str:
    return _COLOURS.get(configuration) or _OTHERS[comparison.plan.configurations.index(configuration) % len(_OTHERS)]
