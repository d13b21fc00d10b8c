"""Plots of a run as PNG and SVG: progress per agent, lineage, diversity, and the candidate's own picture.

It draws what it is given. Matplotlib is imported only here, because it takes longer than everything else together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from colony.node.history import History, Point
from colony.problems.metric import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AGENTS_NAMED_MAX = 10
AGENTS_DRAWN_MAX = 12
DOTS_MAX = 20_000


def plot_run(
    folder: Path, history: History, metric: Metric, *, record: float | None, best: str | None, kinds: Mapping[str, str]
) -> list[str]:
    """Write progress, diversity and, where there is a best, lineage; returns the names without suffix."""
    written = []
    if history.points:
        _save(_progress(history, metric, record, kinds), folder / "progress")
        _save(_diversity(history), folder / "diversity")
        written += ["progress", "diversity"]
    if best is not None and history.parents.get(best) is not None:
        _save(_lineage(history, best), folder / "lineage")
        written.append("lineage")
    return written


def plot_picture(folder: Path, picture: Mapping[str, Any]) -> str:
    """Draw what `picture(candidate)` returned: {"box": [x0, y0, x1, y1], "shapes": [{kind: numbers}, ...]}."""
    figure, axes = _figure(6, 6)
    x0, y0, x1, y1 = (float(v) for v in picture["box"])
    for shape in picture["shapes"]:
        _draw_shape(axes, shape)
    margin = 0.03 * max(x1 - x0, y1 - y0)
    axes.set_xlim(x0 - margin, x1 + margin)
    axes.set_ylim(y0 - margin, y1 + margin)
    axes.set_aspect("equal")
    axes.axis("off")
    _save(figure, folder / "picture")
    return "picture"


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # slow to import
    from matplotlib.figure import Figure as MatplotlibFigure  # noqa: PLC0415

    figure = MatplotlibFigure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


def _save(figure: Figure, stem: Path) -> None:
    figure.savefig(stem.with_suffix(".png"), dpi=120)
    figure.savefig(stem.with_suffix(".svg"))


def _colours(kinds: Sequence[str]) -> dict[str, Any]:
    from matplotlib import colormaps  # noqa: PLC0415  # slow to import

    palette = colormaps["tab10"]
    return {kind: palette(index % 10) for index, kind in enumerate(sorted(set(kinds)))}


def _progress(history: History, metric: Metric, record: float | None, kinds: Mapping[str, str]) -> Figure:
    figure, axes = _figure(9, 5)
    colours = _colours(list(kinds.values()))
    step = max(1, len(history.points) // DOTS_MAX)
    for kind, colour in colours.items():
        points = [p for p in history.points[::step] if kinds.get(p.agent) == kind]
        if points:
            at, values = [p.evaluations for p in points], [p.value for p in points]
            axes.scatter(at, values, s=9, alpha=0.6, color=colour, label=kind, linewidths=0)
    last = max(p.evaluations for p in history.points)
    for agent in history.busiest(AGENTS_DRAWN_MAX):
        axes.step(
            *_steps(history.improvements(metric, agent), last), where="post", linewidth=0.8, color=colours[kinds[agent]]
        )
    best = _steps(history.improvements(metric), last)
    axes.step(*best, where="post", color="black", linewidth=1.6, label="best so far")
    if record is not None:
        axes.axhline(record, color="tab:red", linestyle="--", linewidth=1, label="known record")
    _focus(axes, [p.value for p in history.points], [*best[1], *([record] if record is not None else [])])
    axes.set_xlabel("evaluations")
    axes.set_ylabel(f"{metric.name} ({'higher' if metric.direction == 'maximise' else 'lower'} is better)")
    axes.set_title("Progress: every experiment, each agent's best, the colony's best")
    corner: Literal["lower right", "upper right"] = "lower right" if metric.direction == "maximise" else "upper right"
    axes.legend(fontsize=7, markerscale=2, ncols=2, loc=corner)
    return figure


def _steps(points: Sequence[Point], last: int) -> tuple[list[int], list[float]]:
    """The places and heights of a staircase that goes on to `last`."""
    return [p.evaluations for p in points] + [last], [p.value for p in points] + [points[-1].value]


def _focus(axes: Axes, values: Sequence[float], shown: Sequence[float]) -> None:
    """Keep far outliers from squeezing the interesting part: from the 10th percentile of values on the worse side."""
    ordered = sorted(values)
    low, high = ordered[len(ordered) // 10], ordered[-1 - len(ordered) // 10]
    low, high = min([low, *shown]), max([high, *shown])
    margin = 0.05 * (high - low) or 1e-9 * max(1.0, abs(high))
    axes.set_ylim(low - margin, high + margin)


def _diversity(history: History) -> Figure:
    figure, axes = _figure(9, 3.5)
    axes.plot([at for at, _ in history.diversity], [value for _, value in history.diversity], linewidth=1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("evaluations")
    axes.set_ylabel("evenness of operators (0 = one, 1 = all alike)")
    axes.set_title("Diversity: how evenly the ways of making experiments were used lately")
    return figure


def _lineage(history: History, best: str) -> Figure:
    figure, axes = _figure(9, 4.5)
    names = history.ancestors(best)
    known = [n for n in names if n in history.values]
    order = {name: index for index, name in enumerate(reversed(known))}
    colours = _colours([history.agents[n] for n in known])
    for name in known:
        for parent in history.parents.get(name, ()):
            if parent in order:
                xs, ys = (order[parent], order[name]), (history.values[parent], history.values[name])
                axes.plot(xs, ys, color="0.7", linewidth=1, zorder=1)
    agents = list(dict.fromkeys(history.agents[n] for n in known))
    for agent in agents:
        mine = [n for n in known if history.agents[n] == agent]
        label = agent if len(agents) <= AGENTS_NAMED_MAX else None
        axes.scatter(
            [order[n] for n in mine],
            [history.values[n] for n in mine],
            color=colours[agent],
            s=28,
            zorder=2,
            label=label,
        )
    axes.set_xlabel("generation, oldest first")
    axes.set_ylabel("value")
    axes.set_title("Lineage: the experiments that the best one builds on")
    if len(agents) <= AGENTS_NAMED_MAX:
        axes.legend(fontsize=7)
    return figure


def _draw_shape(axes: Axes, shape: Mapping[str, Any]) -> None:
    from matplotlib import patches  # noqa: PLC0415  # slow to import

    (kind, numbers), *_ = shape.items()
    match kind:
        case "circle":
            x, y, radius = numbers
            axes.add_patch(patches.Circle((x, y), radius, facecolor="#cfe3f5", edgecolor="#1f4e79", linewidth=1))
        case "point":
            axes.plot(*[[v] for v in numbers], "o", color="#1f4e79", markersize=5)
        case "polyline":
            axes.plot([p[0] for p in numbers], [p[1] for p in numbers], color="#1f4e79", linewidth=1)
        case "polygon":
            axes.add_patch(patches.Polygon(numbers, closed=True, fill=False, edgecolor="#444444", linewidth=1))
        case _:
            pass
