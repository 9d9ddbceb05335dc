"""Under each answer: right, or what it really is. One click or key, and it can be taken back.

Where the model refuses, there is nothing to call right, and "right" would not tell whether it is
the digit that it resembles or none: the question is then only what it is.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from digitlab import samples
from digitlab.database import Database
from digitlab.errors import DataError, StoreError
from digitlab.reading import Digit
from digitlab.samples import NOT_A_DIGIT, Change, Sample
from digitlab.wording import place
from digitlab_app.pictures import Answer
from digitlab_app.store import session_id

RIGHT, NONE = "right", "none"
_REMEMBERED = 500  # answers of a session whose feedback can be taken back

_STYLE = """
.choices { display: flex; flex-wrap: wrap; gap: 0.4rem; }
button {
  min-width: 2.4rem; min-height: 2.5rem; padding: 0.25rem 0.7rem; cursor: pointer; font: inherit;
  color: var(--st-text-color); background: var(--st-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius);
}
button.right { color: white; background: #0b6bcb; border-color: #0b6bcb; }
button:hover, button:focus-visible { border-color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
"""

_SCRIPT = """
export default function ({ parentElement, data, setTriggerValue }) {
  const tell = (said) => setTriggerValue("said", said);
  const buttons = data.choices.map(({ said, label, spoken, key }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.className = said;
    button.title = data.keys ? `${spoken} (key ${key})` : spoken;
    button.setAttribute("aria-label", spoken);
    button.onclick = () => tell(said);
    return button;
  });
  const group = parentElement.querySelector(".choices");
  group.setAttribute("aria-label", data.question);
  group.replaceChildren(...buttons);
  const press = (event) => {
    const writing = event.composedPath()[0].closest?.("input, textarea, select, [contenteditable]");
    if (writing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const choice = data.choices.find(({ key }) => key === event.key.toUpperCase());
    if (choice) tell(choice.said);
  };
  if (data.keys) document.addEventListener("keydown", press);
  return () => document.removeEventListener("keydown", press);
}
"""

_component = st.components.v2.component(
    "digitlab_feedback",
    html='<div class="choices" role="group"></div>',
    css=_STYLE,
    js=_SCRIPT,
)


@dataclass(frozen=True)
class Subject:
    """What feedback is about.

    Attributes
    ----------
    db : where it is kept.
    source : "drawn", "uploaded" or "camera".
    image : gives the picture as it was read, (h, w), (h, w, 3) or (h, w, 4) uint8.
    keys : whether the keyboard answers, too; for one answer on a page at most.
    """

    db: Database
    source: str
    image: Callable[[], np.ndarray]
    keys: bool


def ask(subject: Subject, answer: Answer, index: int, key: str) -> None:
    """Ask whether one digit of an answer is right, or thank for having been told."""
    token = _token(answer, answer.digits[index])
    given = st.session_state.setdefault("feedback", {})
    if problem := st.session_state.pop(f"{key}-problem", None):
        st.error(f"**This could not be kept.** {problem}")
    if token in given:
        _thank(subject, *given[token], token, key)
        return
    question = _question(answer, index)
    st.caption(f"{question} {_help(answer.digits[index], subject.keys)}")
    widget = f"{key}-feedback-{token[:12]}"

    def choose() -> None:
        said = st.session_state[widget]["said"]
        _keep(subject, answer, index, token, key, said)

    choices = _choices(answer.digits[index])
    data = {"question": question, "choices": choices, "keys": subject.keys}
    _component(key=widget, data=data, on_said_change=choose, width="stretch", height="content")


def _question(answer: Answer, index: int) -> str:
    what = "this" if len(answer.digits) == 1 else f"the {place(answer, index)}"
    return f"Is {what} right?" if answer.digits[index].accepted else f"What is {what}?"


def _help(digit: Digit, keys: bool) -> str:
    """What answering is good for, and which keys do it."""
    if digit.accepted:
        how = " On a keyboard: Y, N, or the digit." if keys else ""
        return f"If not, say what it is, and the model can learn it.{how}"
    how = " On a keyboard: the digit, or N." if keys else ""
    return f"Say it, and the model can learn it.{how}"


def _choices(digit: Digit) -> list[dict[str, str]]:
    """What a person can say, with the key that says it."""
    wrong = "Wrong, it" if digit.accepted else "It"
    every = [
        {"said": str(d), "label": str(d), "spoken": f"{wrong} is {d}", "key": str(d)}
        for d in range(10)
    ]
    every.append(
        {"said": NONE, "label": "not a digit", "spoken": f"{wrong} is no digit", "key": "N"}
    )
    if digit.accepted:
        every.pop(digit.label)
        spoken = f"Right, it is {digit.label}"
        every.insert(0, {"said": RIGHT, "label": "Right", "spoken": spoken, "key": "Y"})
    return every


def _keep(subject: Subject, answer: Answer, index: int, token: str, key: str, said: str) -> None:
    """Put what the person said into the store: RIGHT, NONE or a digit.

    A second answer, by a double click, comes before the question has gone and does not count.
    """
    given = st.session_state["feedback"]
    if token in given:
        return
    digit = answer.digits[index]
    meant = {RIGHT: digit.label, NONE: NOT_A_DIGIT}
    label = meant[said] if said in meant else int(said)
    try:
        sample = Sample.of_digit(
            subject.image(),
            digit,
            label,
            subject.source,
            answer.version,
            session_id(),
            confirmed=label == digit.label or (label == NOT_A_DIGIT and not digit.accepted),
        )
        change = samples.add(subject.db, sample)
    except (DataError, StoreError) as error:
        st.session_state[f"{key}-problem"] = str(error)
        return
    given[token] = (_noted(label, said == RIGHT), change)
    while len(given) > _REMEMBERED:
        del given[next(iter(given))]


def _noted(label: int, right: bool) -> str:
    named = "not a digit" if label == NOT_A_DIGIT else str(label)
    return f"noted as right, {named}" if right else f"kept as **{named}**"


def _thank(subject: Subject, noted: str, change: Change, token: str, key: str) -> None:
    """Say what was kept, and offer to take it back."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}-thanks"):
        st.markdown(f":material/check: Thank you: {noted}. It waits on the Corrections page.")
        st.button(
            "Take it back",
            key=f"{key}-back",
            on_click=_take_back,
            args=(subject, change, token, key),
        )


def _take_back(subject: Subject, change: Change, token: str, key: str) -> None:
    try:
        samples.undo(subject.db, change)
    except StoreError as error:
        st.session_state[f"{key}-problem"] = str(error)
        return
    st.session_state["feedback"].pop(token, None)


def _token(answer: Answer, digit: Digit) -> str:
    """Names a digit as it was read, so that a changed drawing is asked about anew.

    A dot under a digit may change nothing but whether it is accepted, and so what is asked.
    """
    read = answer.version, answer.text, digit.label, digit.box, digit.accepted
    told = " ".join(map(str, read)).encode()
    return hashlib.sha256(told + digit.ink.tobytes()).hexdigest()
