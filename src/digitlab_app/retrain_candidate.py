"""Two versions side by side: figures, what changed for better and worse, and the gate."""

import numpy as np
import streamlit as st

from digitlab import datasets, samples
from digitlab.charts import errors_by_digit
from digitlab.database import Database
from digitlab.judging import Match
from digitlab.overlay import enlarged
from digitlab.sample import NOT_A_DIGIT

_MOST = 24  # pictures of a kind


def show_rules(match: Match) -> None:
    """Whether the candidate is recommended, and each rule with its numbers."""
    judged = match.judged
    if judged is None:
        return
    if judged["recommended"]:
        st.success("**Recommended.** It passed every rule.", icon=":material/check_circle:")
    else:
        failed = ", ".join(rule["name"].lower() for rule in judged["rules"] if not rule["holds"])
        st.warning(f"**Not recommended.** It failed: {failed}.", icon=":material/block:")
    for rule in judged["rules"]:
        icon = ":material/check:" if rule["holds"] else ":material/close:"
        st.markdown(f"{icon} {rule['name']}. {rule['reason']}")


def show_figures(match: Match) -> None:
    """Before and after as a table."""
    names = [f"version {version.number}" for version in match.versions]
    st.table([dict(zip(["", *names, "change"], row, strict=True)) for row in figure_rows(match)])
    st.caption(
        f"On the same {match.test.images:,} images: {len(match.test.gained)} went from wrong to "
        f"right, {len(match.test.lost)} from right to wrong. If neither version were better, a "
        f"difference as large would come up with a chance of {100 * match.test.p_value:.0f} % "
        "(McNemar's exact test)."
    )


def figure_rows(match: Match) -> list[tuple[str, str, str, str]]:
    """What is measured, before, after and the change, each in words."""
    a, b = match.figures
    rows = [
        _row("MNIST test, right", a, b, "accuracy", 100, "%", 2),
        _row("MNIST test, errors", a, b, "errors", 1, "", 0),
        _row("MNIST test, refused", a, b, "refused", 100, "%", 2),
        _row("Calibration error", a, b, "calibration_error", 100, "%", 2),
    ]
    if match.judged:
        held, odd = match.judged["held_back"], match.judged["refused"]
        rows.insert(0, _counts("Corrections held back, right", held))
        rows.append(_row("Other signs refused", *({"x": x} for x in odd), "x", 100, "%", 1))
    rows.append(_row("Time for a digit", a, b, "milliseconds", 1, "ms", 2))
    rows.append(_row("Size of the model", a, b, "bytes", 1 / 1000, "kB", 0))
    return rows


def _row(name, before: dict, after: dict, key: str, factor: float, unit: str, digits: int):
    values = [None if part.get(key) is None else factor * part[key] for part in (before, after)]
    space = f" {unit}" if unit else ""
    shown = ["not measured" if v is None else f"{v:,.{digits}f}{space}" for v in values]
    change = "" if None in values else f"{values[1] - values[0]:+,.{digits}f}"
    return name, *shown, change if any(sign in change for sign in "123456789") else "none"


def _counts(name: str, held: dict) -> tuple[str, str, str, str]:
    change = held["after"] - held["before"]
    shares = [f"{held[key]} of {held['images']}" for key in ("before", "after")]
    return name, *shares, f"{change:+d}" if change else "none"


def show_changes(db: Database, match: Match) -> None:
    """The images that changed sides, with what was answered before and after."""
    gained, lost = st.tabs(
        [f"Wrong to right ({_all(match, 'gained')})", f"Right to wrong ({_all(match, 'lost')})"]
    )
    for tab, kind in ((gained, "gained"), (lost, "lost")):
        with tab:
            _show_held_back(db, match, kind)
            _show_test(match, kind)
            if not _all(match, kind):
                st.caption("None.")


def _all(match: Match, kind: str) -> int:
    held = len(match.judged["held_back"][kind]) if match.judged else 0
    return held + len(getattr(match.test, kind))


def _show_held_back(db: Database, match: Match, kind: str) -> None:
    if not match.judged or not match.judged["held_back"][kind]:
        return
    places = match.judged["held_back"][kind]
    known = {s.id: s for s in samples.get(db, match.judged["held_back_ids"])}
    before, after = match.judged["held_back_answers"]
    st.markdown("**Corrections held back**")
    with st.container(horizontal=True, gap="small"):
        for place in places[:_MOST]:
            sample = known.get(match.judged["held_back_ids"][place])
            if sample is None:
                st.caption("deleted since")
            else:
                _picture(sample.ink, sample.label, before[place], after[place])


def _show_test(match: Match, kind: str) -> None:
    places = getattr(match.test, kind)
    if not places:
        return
    st.markdown("**MNIST test set**")
    test = datasets.mnist_test()
    with st.container(horizontal=True, gap="small"):
        for place in places[:_MOST]:
            before, after = (found[place] for found in match.answers)
            _picture(test.ink[place], test.labels[place], before, after)
    if len(places) > _MOST:
        st.caption(f"The first {_MOST} of {len(places)}.")


def _picture(ink: np.ndarray, label: int, before: int, after: int) -> None:
    names = [_name(int(x)) for x in (label, before, after)]
    alt = f"A {names[0]}, read as {names[1]} before and as {names[2]} after"
    st.image(enlarged(ink, 4), width=84, caption=f"{names[1]} → {names[2]}", alt=alt)


def _name(label: int) -> str:
    return "none" if label == NOT_A_DIGIT else str(label)


def show_digits(match: Match) -> None:
    """Errors by digit, before and after."""
    figure = errors_by_digit(match.by_digit, [v.number for v in match.versions])
    rows = ", ".join(
        f"{r['digit']}: {r['images'] - r['before']} and {r['images'] - r['after']}"
        for r in match.by_digit
    )
    st.plotly_chart(
        figure,
        key=f"by-digit-{match.versions[0].number}-{match.versions[1].number}",
        config={"displayModeBar": False},
        alt=f"Errors on the MNIST test set by digit, before and after. {rows}",
    )
