"""The numbers of an evaluation in rows: what stands on the page, and what is downloaded as CSV."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from digitlab.evaluating import Curve, Evaluated
from digitlab.evaluation import (
    CERTAIN,
    Coverage,
    Predictions,
    Reliability,
    coverage_curve,
    expected_calibration_error,
    readable,
    row_shares,
    wilson_interval,
)
from digitlab.evaluation_charts import class_names
from digitlab.lineage import total
from digitlab.recognizer import SHIPPED
from digitlab.versions import Version


def to_csv(rows: Iterable[Mapping]) -> bytes:
    """Rows as a table in UTF-8, numbers written so that none of them is rounded."""
    rows = list(rows)
    file = io.StringIO()
    writer = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def share(value: float, places: int = 2) -> str:
    """A share between 0 and 1 as a percentage."""
    return f"{100 * value:.{places}f} %"


def quality(version: Version, found: Evaluated) -> dict[str, str]:
    """How good a version is on a set, in words, by what is said."""
    scores, predictions = found.scores, found.predictions
    low, high = wilson_interval(scores.right, scores.images)
    accept = version.metrics["calibration"]["accept"]
    refused = int(
        (predictions.beliefs.probabilities.max(1) * predictions.beliefs.is_digit < accept).sum()
    )
    error = expected_calibration_error(predictions.confidence, predictions.right)
    return {
        "Accuracy": f"{share(scores.accuracy)} (95 % interval {share(low)} to {share(high)})",
        "Errors": f"{scores.errors:,} of {scores.images:,}",
        "Loss": f"{scores.loss:.4f} nats",
        "Brier score": f"{scores.brier:.4f} of 2",
        "Calibration error": share(error),
        f"Readable at {share(CERTAIN, 1)} right": _readable_words(predictions),
        "Refused": f"{refused:,} of {scores.images:,}",
    }


def _readable_words(predictions: Predictions) -> str:
    part, threshold = readable(coverage_curve(predictions.confidence, predictions.right))
    if not part:
        return "none"
    return f"{share(part)}, from a confidence of {share(threshold, 1)}"


def origin(
    version: Version, size: int, milliseconds: np.ndarray, learnt: int | None
) -> dict[str, str]:
    """What a version is and where it comes from, in words.

    Parameters
    ----------
    size : bytes of its .tflite file.
    milliseconds : (m,), of each digit that was timed; may be empty.
    learnt : how many corrections it learnt from; None if that is not known.
    """
    words = {
        "Parameters": f"{version.metrics['parameters']:,}"
        if "parameters" in version.metrics
        else "not known",
        "File": f"{size / 1000:,.0f} kB",
        "Trained": str(version.metrics.get("trained") or f"{version.created:%Y-%m-%d}"),
        "Trained on": _trained_on(version, learnt),
    }
    if len(milliseconds):
        words["Time per digit"] = (
            f"{np.median(milliseconds):.2f} ms (median of {len(milliseconds)}, one thread)"
        )
    return words


def _trained_on(version: Version, learnt: int | None) -> str:
    corrections = f"{learnt:,} correction{'s' * (learnt != 1)}" if learnt else "corrections"
    if version.kind == "fine-tuned":
        return f"{corrections}, going on from version {version.parent}"
    if version.kind == "scratch":
        return f"MNIST and {corrections}"
    pictures = total(version.settings, "pictures") if "pictures" in version.settings else 0
    made = f" and {pictures:,} drawings, each as strokes and as a photograph" if pictures else ""
    return f"MNIST{made}" if version.kind == "shipped" else "not known"


def history(version: Version) -> list[dict]:
    """How a version was trained, a row for each look; empty if that was not kept.

    The curves of the shipped version lie beside its model.
    """
    rows = version.history.get("rows")
    if rows is not None or version.kind != "shipped":
        return rows or []
    try:
        own = json.loads((SHIPPED / "metrics.json").read_text("utf-8")) == version.metrics
        return json.loads((SHIPPED / "history.json").read_text("utf-8")) if own else []
    except (OSError, ValueError):
        return []


def per_class(found: Evaluated) -> list[dict]:
    """Precision, recall and F1 of each answer, in percent; None where there is none."""
    scores = found.scores
    columns = {"precision": scores.precision, "recall": scores.recall, "F1": scores.f1}
    return [
        {"digit": name, "images": int(scores.support[i])}
        | {key: None if np.isnan(v[i]) else 100 * float(v[i]) for key, v in columns.items()}
        for i, name in enumerate(class_names(len(scores.support)))
    ]


def confusion_rows(confusion: np.ndarray) -> list[dict]:
    """Each cell of a confusion matrix."""
    names, shares = class_names(len(confusion)), row_shares(confusion)
    return [
        {
            "is": names[i],
            "read as": names[j],
            "images": int(n),
            "percent": 100 * float(shares[i, j]),
        }
        for (i, j), n in np.ndenumerate(confusion)
    ]


def prediction_rows(found: Evaluated, places: Sequence[int]) -> list[dict]:
    """Some images with what they are, what was read and all probabilities."""
    p = found.predictions
    names = class_names(p.classes)
    return [
        {
            "image": int(found.ids[i]) if len(found.ids) else int(i),
            "is": names[p.labels[i]],
            "read as": names[p.answers[i]],
            "confidence": float(p.confidence[i]),
        }
        | {f"probability of {n}": float(v) for n, v in zip(names, p.chances[i], strict=True)}
        for i in places
    ]


def reliability_rows(name: str, diagram: Reliability) -> list[dict]:
    """Each range of confidence that has answers."""
    return [
        {
            "version": name,
            "from": float(diagram.limits[i]),
            "to": float(diagram.limits[i + 1]),
            "answers": int(n),
            "confidence": float(diagram.confidence[i]),
            "right": float(diagram.right[i]),
        }
        for i, n in enumerate(diagram.counts)
        if n
    ]


def coverage_rows(name: str, curve: Coverage) -> list[dict]:
    """Each threshold that makes a difference."""
    return [
        {"version": name, "confidence": float(t), "read": float(c), "right": float(a)}
        for t, c, a in zip(curve.threshold, curve.coverage, curve.accuracy, strict=True)
    ]


def robustness_rows(name: str, curves: Sequence[Curve]) -> list[dict]:
    """Each change at each strength, with the 95 % interval of the share right."""
    rows = []
    for curve in curves:
        for way, right in (("with preprocessing", curve.prepared), ("without", curve.straight)):
            for strength, count in zip(curve.strengths, right, strict=True):
                low, high = wilson_interval(int(count), curve.images)
                rows.append(
                    {
                        "version": name,
                        "change": curve.name,
                        "strength": float(strength),
                        "unit": curve.unit,
                        "way": way,
                        "right": int(count),
                        "images": curve.images,
                        "share": int(count) / curve.images,
                        "low": low,
                        "high": high,
                    }
                )
    return rows
