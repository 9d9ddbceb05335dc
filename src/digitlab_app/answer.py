"""Shows one reading: the answer large, how sure, the probabilities and what else it may be."""

from html import escape

import streamlit as st

from digitlab.charts import probability_bars
from digitlab.recognizer import Digit
from digitlab.wording import account, chances, doubtful, explain_doubt, percent, place, runners_up
from digitlab_app.feedback import Subject, ask
from digitlab_app.pictures import Answer

_SIZES = ((1, 7), (3, 5), (6, 3.5), (12, 2.25), (10_000, 1.5))
"""Up to how many signs in the longest line, and the height of the writing in rem."""


def show_answer(answer: Answer, key: str, subject: Subject | None = None) -> Digit | None:
    """The whole answer to one picture, and the question whether it is right.

    Parameters
    ----------
    key : keeps its widgets apart from another picture's.
    subject : what feedback is about; None where none can be kept.

    Returns
    -------
    The digit that is looked at; None if there are none.
    """
    if not answer.digits:
        st.info(
            "No digits found. Write larger and darker, leave some room at the edges, or take the "
            "picture closer and in more light."
        )
        return None
    words = account(answer)
    _show_large(words.headline, f"{words.headline}. {words.certainty}.")
    st.markdown(f"**{words.certainty}**")
    st.write(words.detail)
    if words.advice:
        st.info(words.advice)
    index = _choose(answer, key)
    if subject is not None:
        ask(subject, answer, index, key)
    _show_bars(answer.digits[index], key)
    st.caption(f"Read in {answer.milliseconds:.0f} ms by model version {answer.version}.")
    return answer.digits[index]


def _show_large(text: str, spoken: str) -> None:
    """The digit or the number, as large as it fits; a screen reader says how sure, too."""
    longest = max(len(line) for line in text.split("\n"))
    size = next(rem for most, rem in _SIZES if longest <= most)
    style = f"font-size:{size}rem;line-height:1.1;font-weight:600;overflow-wrap:anywhere"
    lines = escape(text).replace("\n", "<br>")
    st.html(
        f'<div role="status" aria-live="polite" aria-label="{escape(spoken)}" style="{style}">'
        f"{lines}</div>"
    )


def _choose(answer: Answer, key: str) -> int:
    """Which digit is looked at: the only one; of several, the one that is chosen."""
    if len(answer.digits) == 1:
        return 0
    index = st.segmented_control(
        "Which digit",
        range(len(answer.digits)),
        default=doubtful(answer),
        required=True,
        format_func=lambda i: str(answer.digits[i].label),
        # another number has other digits: the choice starts at its doubtful one
        key=f"{key}-digit-{answer.text}",
        help="In reading order. The one that is trusted least is chosen at first.",
    )
    _show_words(answer, index)
    return index


def _show_bars(digit: Digit, key: str) -> None:
    """The probabilities of one digit."""
    shares = ", ".join(f"{i}: {percent(p)}" for i, p in enumerate(chances(digit)))
    st.plotly_chart(
        probability_bars(chances(digit), digit.label),
        key=f"{key}-bars",
        config={"displayModeBar": False},
        alt=f"Probability of each digit. {shares}",
    )


def _show_words(answer: Answer, index: int) -> None:
    """What is to say of one digit of a number."""
    digit: Digit = answer.digits[index]
    where = place(answer, index)
    if digit.accepted:
        st.write(
            f"{where[:1].upper()}{where[1:]}: {digit.verdict}, {percent(digit.confidence)}. "
            f"Then {runners_up(digit)}."
        )
    else:
        st.write(f"{where[:1].upper()}{where[1:]}: {digit.verdict}. {explain_doubt(digit)}")
