"""Shows how a picture was read: its steps as a strip of pictures, and what the model saw."""

import streamlit as st

from digitlab.overlay import enlarged
from digitlab.reading import Digit
from digitlab.wording import place
from digitlab_app.pictures import Answer

_WIDTH = 150  # pixels: two beside each other on a phone
_MOST_INKS = 12  # more are beside the point


def show_steps(answer: Answer) -> None:
    """The strip of steps with their sentences, the last one being the model's own 28x28."""
    st.subheader("How it was read", anchor=False)
    with st.container(horizontal=True):
        for number, step in enumerate(answer.steps, 1):
            with st.container(width=_WIDTH, gap="xsmall"):
                st.image(step.image, width="stretch", alt=f"{step.name}: {step.note}")
                st.markdown(f"**{number}. {step.name}**")
                st.caption(step.note)
        if len(answer.digits) == 1:
            _show_ink(answer.digits[0], len(answer.steps) + 1)
    if len(answer.digits) > 1:
        _show_inks(answer)


def _show_ink(digit: Digit, number: int) -> None:
    with st.container(width=_WIDTH, gap="xsmall"):
        st.image(enlarged(digit.ink), width="stretch", alt="The 28x28 pixels that the model saw")
        st.markdown(f"**{number}. What the model saw**")
        st.caption("28x28 pixels: the ink cut out, its stroke evened, centred by its mass.")


def _show_inks(answer: Answer) -> None:
    """Each digit's 28x28, in reading order."""
    st.markdown(f"**{len(answer.steps) + 1}. What the model saw**")
    st.caption("28x28 pixels for each digit: cut out, its stroke evened, centred by its mass.")
    shown = answer.digits[:_MOST_INKS]
    with st.container(horizontal=True, gap="small"):
        for index, digit in enumerate(shown):
            alt = f"The 28x28 pixels of the {place(answer, index)}, read as {digit.label}"
            st.image(enlarged(digit.ink, 6), width=84, caption=str(digit.label), alt=alt)
    if len(answer.digits) > len(shown):
        st.caption(f"The first {len(shown)} of {len(answer.digits)} digits.")
