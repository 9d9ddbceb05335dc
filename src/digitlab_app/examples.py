"""The example pictures that anyone can try with one click; each behaves as an uploaded file."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True)
class Example:
    """An example picture: its file's name and what to call it."""

    file: str
    caption: str

    @property
    def name(self) -> str:
        """What an answer to it is called."""
        return self.caption

    @property
    def file_id(self) -> str:
        """What tells it from other files."""
        return self.file

    def getvalue(self) -> bytes:
        """The file's bytes."""
        return self.path.read_bytes()

    @property
    def path(self) -> Path:
        """Where the picture lies."""
        return FOLDER / self.file


EXAMPLES = (
    Example("seven_with_bar.png", "7 with a bar"),
    Example("slashed_zero.png", "Slashed 0"),
    Example("flagged_one.png", "Flagged 1"),
    Example("letter.png", "Not a digit"),
    Example("number_in_shadow.jpg", "In shadow"),
    Example("ruled_paper.jpg", "Ruled paper"),
    Example("boxes_of_a_form.jpg", "Form boxes"),
)
