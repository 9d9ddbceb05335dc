"""Pictures that a person hands in: each is read once and shown small, however large it came."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import streamlit as st

from digitlab import images
from digitlab.errors import ImageError
from digitlab.overlay import draw_boxes, thumbnail
from digitlab.preprocess import Box, Step
from digitlab.reading import Digit, Reading
from digitlab.recognizer import Recognizer
from digitlab.turning import turned
from digitlab.wording import account, is_sure

STEP_SIDE = 300  # pixels; a step is looked at small, and twelve megapixels would fill the memory


class File(Protocol):
    """What the uploader and the camera hand over."""

    name: str
    file_id: str

    def getvalue(self) -> bytes:
        """The file's bytes."""


@dataclass(frozen=True)
class Picture:
    """A file's picture, turned by a person `quarters` times by 90 degrees to the right."""

    file: File
    quarters: int = 0

    @property
    def name(self) -> str:
        """The file's name."""
        return self.file.name

    @property
    def id(self) -> str:
        """What tells it from every other picture and from itself turned otherwise."""
        return f"{self.file.file_id}-{self.quarters}"

    def pixels(self) -> np.ndarray:
        """(h, w, 3) or (h, w, 4) uint8. Raises ImageError as `images.decode` does."""
        return turned(images.decode(self.file.getvalue()), self.quarters)


@dataclass(frozen=True)
class Answer:
    """A reading as it is shown: without the large pictures that it was made from.

    Attributes
    ----------
    text, digits, left_out, unread, version, milliseconds : as in `digitlab.reading.Reading`.
    steps : with pictures no larger than they are looked at.
    """

    text: str
    digits: tuple[Digit, ...]
    left_out: int
    unread: tuple[Box, ...]
    steps: tuple[Step, ...]
    version: str
    milliseconds: float


@dataclass(frozen=True)
class Exhibit:
    """A picture with its reading, or with what kept it from being read.

    Attributes
    ----------
    name : the file's name.
    picture : (h, w, 3) uint8 with a box around each digit; None if it could not be read.
    answer : what was read; None likewise.
    size : width and height in pixels of the picture as it came.
    error : why not, fit to show a person; "" if it was read.
    """

    name: str
    picture: np.ndarray | None = None
    answer: Answer | None = None
    size: tuple[int, int] = (0, 0)
    error: str = ""

    @property
    def title(self) -> str:
        """The name and the answer in one line, with a question mark if it may be no number."""
        if self.error:
            return f"{self.name}: could not be read"
        read = account(self.answer).headline if self.answer.digits else "no digits found"
        return f"{self.name}: {read.replace(chr(10), ', ')}"


def read_pictures(recognizer: Recognizer, pictures: list[Picture]) -> list[Exhibit]:
    """Read each picture once in a session; a progress bar says which one is being read."""
    known = st.session_state.get("exhibits", {})
    wanted = {(picture.id, recognizer.version): picture for picture in pictures}
    new = [key for key in wanted if key not in known]
    exhibits = {key: known[key] for key in wanted if key in known}
    bar = st.progress(0.0) if len(new) > 1 else None
    for done, key in enumerate(new):
        if bar is not None:
            bar.progress(done / len(new), f"Reading {done + 1} of {len(new)}")
        exhibits[key] = exhibit(recognizer, wanted[key])
    if bar is not None:
        bar.empty()
    st.session_state["exhibits"] = exhibits
    return [exhibits[key] for key in wanted]


def exhibit(
    recognizer: Recognizer, picture: Picture, boxes: Sequence[Box] | None = None
) -> Exhibit:
    """Decode and read one picture; `boxes` say where its digits are, None lets them be found."""
    try:
        image = picture.pixels()
    except ImageError as error:
        return Exhibit(picture.name, error=str(error))
    reading = recognizer.recognize(image, boxes)
    return Exhibit(picture.name, boxed(image, reading), shown(reading), image.shape[1::-1])


def read_drawing(recognizer: Recognizer, drawing: np.ndarray) -> Answer:
    """Read what is on the canvas; of several digits, a last step shows the boxes."""
    reading = recognizer.recognize(drawing)
    if len(reading.digits) < 2:
        return shown(reading)
    note = "Where one digit ends and the next begins: the cuts that the model believes most."
    return shown(reading, Step("Digits", boxed(drawing, reading), note))


def shown(reading: Reading, *more: Step) -> Answer:
    """A reading fit to be kept and shown, with more steps at the end."""
    steps = tuple(
        replace(step, image=thumbnail(step.image, STEP_SIDE)) for step in (*reading.steps, *more)
    )
    return Answer(
        reading.text,
        reading.digits,
        reading.left_out,
        reading.unread,
        steps,
        reading.version,
        reading.milliseconds,
    )


def boxed(image: np.ndarray, reading: Reading) -> np.ndarray:
    """The picture with a labelled box around each digit and unread sign, (h, w, 3) uint8."""
    marks = [
        (digit.box, str(digit.label) if digit.accepted else f"{digit.label}?", not is_sure(digit))
        for digit in reading.digits
    ]
    marks += [(box, "?", True) for box in reading.unread]
    boxes, labels, doubts = zip(*marks, strict=True) if marks else ((), (), ())
    return draw_boxes(image, boxes, labels, doubts)
