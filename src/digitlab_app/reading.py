"""Pictures beside their answers: what was read, how, and why."""

import streamlit as st

from digitlab.database import Database
from digitlab.recognizer import Recognizer
from digitlab.turning import Way, is_doubted, other_ways_up
from digitlab_app.answer import show_answer
from digitlab_app.boxes import correct_boxes
from digitlab_app.feedback import Subject
from digitlab_app.pictures import Answer, Exhibit, Picture, read_pictures
from digitlab_app.steps import show_steps
from digitlab_app.why import show_why


def show_pictures(reader: Recognizer, db: Database | None, source, files, left, right) -> None:
    """One picture beside its answer; of several, each folded away under its own line."""
    pictures = [Picture(file, _turns().get(file.file_id, 0)) for file in files]
    exhibits = read_pictures(reader, pictures)

    def subject(picture: Picture) -> Subject | None:
        return db and Subject(db, source, picture.pixels, keys=len(files) == 1)

    if len(exhibits) == 1:
        about = subject(pictures[0])
        show_picture(reader, about, pictures[0], exhibits[0], left, right, key="picture-0")
        return
    for number, (picture, exhibit) in enumerate(zip(pictures, exhibits, strict=True)):
        folded = st.expander(
            exhibit.title, number == 0, key=f"fold-{number}-{exhibit.name}", on_change="rerun"
        )
        if folded.open:
            with folded:
                columns = st.columns(2, gap="medium")
                key = f"picture-{number}"
                show_picture(reader, subject(picture), picture, exhibit, *columns, key)


def _turns() -> dict[str, int]:
    """By how many quarters to the right each file was turned in this session, by its id."""
    return st.session_state.setdefault("turns", {})


def _turn(file_id: str, quarters: int = 1) -> None:
    _turns()[file_id] = (_turns().get(file_id, 0) + quarters) % 4


def show_picture(
    reader, about: Subject | None, picture: Picture, exhibit: Exhibit, left, right, key
) -> None:
    """A picture with its boxes, its answer and its steps; or why it could not be read."""
    if exhibit.error:
        right.error(f"**{exhibit.name}** could not be read: {exhibit.error}")
        return
    with left:
        place = st.empty()  # above the canvas that decides what is shown in it
        st.button(
            "Turn",
            icon=":material/rotate_90_degrees_cw:",
            help="By 90 degrees to the right, and read it again.",
            key=f"{key}-turn",
            on_click=_turn,
            args=(picture.file.file_id,),
        )
        corrected = correct_boxes(reader, picture, exhibit, key)
        alt = f"{corrected.title}, a box around each digit"
        place.image(corrected.picture, width="stretch", alt=alt)
    above = right.container()  # the answer; what takes longer is asked when that is there
    show_reading(reader, about, corrected.answer, right, key)
    with above:
        ways = _other_ways(reader, picture, exhibit) if corrected is exhibit else ()
        _ask_which_way_up(picture, corrected, ways, key)


def _other_ways(reader: Recognizer, picture: Picture, exhibit: Exhibit) -> tuple[Way, ...]:
    """How to turn a picture so that it is read, found out once in a session."""
    if not is_doubted(exhibit.answer):
        return ()
    known = st.session_state.setdefault("ways", {})
    key = (picture.id, reader.version)
    if key not in known:
        known[key] = other_ways_up(reader, picture.pixels())
    return known[key]


def _ask_which_way_up(picture: Picture, exhibit: Exhibit, ways: tuple[Way, ...], key: str) -> None:
    """Offer to turn a picture that is read another way up, or say that it can be turned."""
    if ways:
        st.caption("The picture may lie on its side or upside down. If so, choose what it says:")
        with st.container(horizontal=True):
            for way in ways:
                st.button(
                    way.words,
                    key=f"{key}-way-{way.quarters}",
                    on_click=_turn,
                    args=(picture.file.file_id, way.quarters),
                )
    elif not any(digit.accepted for digit in exhibit.answer.digits):
        st.caption(
            "If the picture lies on its side or upside down, turn it: the button is under it."
        )


def show_reading(reader: Recognizer, about: Subject | None, answer: Answer, right, key) -> None:
    """An answer, how it was read, and why it was answered so."""
    with right:
        digit = show_answer(answer, key, about)
    show_steps(answer)
    if digit is not None:
        show_why(reader, about and about.db, digit, key)
