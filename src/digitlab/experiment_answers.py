"""How many layers, which optimiser, at what cost: answered in words, out of the results alone.

Networks are compared pair by pair, with the same seed and all else equal. A difference counts if
it is more than two standard errors of the mean over the pairs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from digitlab.experiment_grid import ARCHITECTURES, OPTIMISERS, PLAIN, PUBLISHED, RECIPES
from digitlab.experiment_results import Result, Summary, spread, summaries

_CERTAIN = 2.0  # standard errors


@dataclass(frozen=True)
class Difference:
    """How much more of the test set one thing reads right than another, pair by pair.

    Attributes
    ----------
    points : mean, in percentage points.
    error : its standard error.
    pairs : how many pairs there are.
    """

    points: float
    error: float
    pairs: int

    @property
    def certain(self) -> bool:
        """Whether it is more than chance explains."""
        return self.pairs > 1 and abs(self.points) > _CERTAIN * self.error


Key = Callable[[Result], tuple]


def difference(left: Iterable[Result], right: Iterable[Result], pair: Key) -> Difference | None:
    """Right minus left over the pairs that both have; None if there is no such pair."""
    before = {pair(result): result.accuracy for result in left}
    gains = [100 * (r.accuracy - before[pair(r)]) for r in right if pair(r) in before]
    if not gains:
        return None
    found = spread(gains)
    return Difference(found.mean, found.deviation / sqrt(len(gains)), len(gains))


def _depth_of(result: Result) -> int:
    return ARCHITECTURES[result.run.architecture].layers


def _plain(results: Iterable[Result]) -> list[Result]:
    return [r for r in results if r.run.architecture in PLAIN and r.run.recipe in OPTIMISERS]


def steps(results: Iterable[Result]) -> list[tuple[int, Difference]]:
    """What each further layer brings: number of layers and difference to one layer fewer."""
    own = _plain(results)
    found = []
    for depth in sorted({_depth_of(result) for result in own}):
        less, more = ([r for r in own if _depth_of(r) == d] for d in (depth - 1, depth))
        gain = difference(less, more, lambda r: (r.run.recipe, r.run.seed))
        if gain is not None:
            found.append((depth, gain))
    return found


def layers_answer(results: Sequence[Result]) -> str | None:
    """How many layers are worth it; None as long as there are not two depths."""
    own, gains = _plain(results), steps(results)
    if not gains:
        return None
    means = _means(own, _depth_of)
    best, least = max(means, key=means.get), min(means)
    words = [
        f"**How many layers?** {_layers(best)} read best: {percent(means[best])} of the test set "
        f"on average over the optimisers and seeds, {_layers(least).lower()} "
        f"{percent(means[least])}. What each further layer brings: "
        + "; ".join(_step(depth, gain) for depth, gain in gains)
        + "."
    ]
    useful = [depth for depth, gain in gains if gain.certain and gain.points > 0]
    if not useful:
        words.append("None of these steps is more than chance.")
    elif max(useful) < gains[-1][0]:
        words.append(f"Beyond {_layers(max(useful)).lower()} no step helps for certain.")
    else:
        words.append("The last one still helps: it may be worth trying more.")
    return " ".join(words)


def _layers(depth: int) -> str:
    names = ("No", "One", "Two", "Three", "Four", "Five")
    return f"{names[depth]} layer{'s' * (depth != 1)}"


def _step(depth: int, gain: Difference) -> str:
    doubt = "" if gain.certain else ", which may be chance"
    return f"{depth - 1} to {depth}, {_signed(gain)}{doubt}"


def percent(share: float) -> str:
    """As in "97.12 %"."""
    return f"{100 * share:.2f} %"


def _signed(gain: Difference) -> str:
    sign = "+" if gain.points >= 0 else "\N{MINUS SIGN}"
    return f"{sign}{abs(gain.points):.2f} ± {gain.error:.2f} points"


def _means(results: Iterable[Result], key: Callable[[Result], object]) -> dict:
    groups: dict[object, list[float]] = {}
    for result in results:
        groups.setdefault(key(result), []).append(result.accuracy)
    return {name: fmean(values) for name, values in groups.items()}


def optimiser_answer(results: Sequence[Result]) -> str | None:
    """Which optimiser reads best; None as long as there are not two."""
    own = _plain(results)
    means = _means(own, lambda r: r.run.recipe)
    if len(means) < 2:
        return None
    best, *others = sorted(means, key=means.get, reverse=True)
    gaps = {name: gap for name in others if (gap := _behind(own, name, best)) is not None}
    told = "; ".join(f"{RECIPES[name].title} {_gap(gap)}" for name, gap in gaps.items())
    words = (
        f"**Which optimiser?** {RECIPES[best].title} came first with {percent(means[best])} on "
        f"average over the depths and seeds. Behind it: {told}."
    )
    if any(gap.certain for gap in gaps.values()):
        return words
    return f"{words} Each with a learning rate that suits it, none is better for certain."


def _behind(own: Sequence[Result], name: str, best: str) -> Difference | None:
    """How far an optimiser is behind another, at the same depths and seeds."""
    left, right = ([r for r in own if r.run.recipe == n] for n in (name, best))
    return difference(left, right, lambda r: (r.run.architecture, r.run.seed))


def _gap(gap: Difference) -> str:
    doubt = "" if gap.certain else ", which may be chance"
    return f"by {gap.points:.2f} ± {gap.error:.2f} points{doubt}"


def cost_answer(results: Sequence[Result]) -> str | None:
    """What layers cost; None as long as there are not two depths."""
    own = _plain(results)
    by_depth = {
        depth: [r for r in own if _depth_of(r) == depth] for depth in sorted(map(_depth_of, own))
    }
    if len(by_depth) < 2:
        return None
    first, last = min(by_depth), max(by_depth)
    train = {d: fmean(r.train_seconds for r in by_depth[d]) for d in (first, last)}
    read = {d: fmean(r.predict_ms for r in by_depth[d]) for d in (first, last)}
    return (
        f"**At what cost?** {_layers(last)} take {train[last] / train[first]:.1f} times as long to "
        f"train as {_layers(first).lower()} ({train[last]:.1f} s against {train[first]:.1f} s) "
        f"and {read[last] / read[first]:.1f} times as long to read a digit "
        f"({read[last]:.3f} ms against {read[first]:.3f} ms)."
    )


def published_answer(results: Sequence[Result]) -> str | None:
    """The published networks and ours by their own recipes; None if there are not two."""
    every = summaries(results)
    own = [s for s in every if (s.architecture, s.recipe) in PUBLISHED]
    if len(own) < 2:
        return None
    told = "; ".join(_published(s) for s in sorted(own, key=_mean_accuracy, reverse=True))
    small = [s for s in every if s.architecture in PLAIN]
    words = f"**The published networks and ours, each by its own recipe:** {told}."
    if not small:
        return words
    best = max(small, key=_mean_accuracy)
    return (
        f"{words} Best of the small ones is {ARCHITECTURES[best.architecture].title} with "
        f"{RECIPES[best.recipe].title}: {_figures(best)}."
    )


def _published(found: Summary) -> str:
    whose = "ours" if found.architecture == "compact" else "published"
    return f"{whose}, {found.parameters:,} parameters, {_figures(found)}"


def _figures(found: Summary) -> str:
    """As in "97.95 ± 0.12 %, 53 s to train"."""
    doubt = f" ± {100 * found.accuracy.deviation:.2f}" if found.seeds > 1 else ""
    seconds = found.train_seconds.mean
    return f"{100 * found.accuracy.mean:.2f}{doubt} %, {seconds:.{int(seconds < 10)}f} s to train"


def _mean_accuracy(summary: Summary) -> float:
    return summary.accuracy.mean


def answers(results: Sequence[Result]) -> list[str]:
    """All answers that the results allow, in Markdown."""
    told = (layers_answer, optimiser_answer, cost_answer, published_answer)
    return [words for tell in told if (words := tell(results))]
