"""What can go wrong, by name. Every message says what happened and what to try."""


class DigitLabError(Exception):
    """Base of every error that Digit Lab raises on purpose; its text is fit to show a person."""


class ImageError(DigitLabError):
    """The bytes are not a picture that can be read, or the picture is too large."""


class ModelError(DigitLabError):
    """A model version is missing, damaged, or does not fit this program."""


class DataError(DigitLabError):
    """A data set is missing, damaged, or not in the form that was promised."""


class StoreError(DigitLabError):
    """The database can't be reached or used, or its schema does not fit this program."""


class BusyError(DigitLabError):
    """Only one may do this at a time, and somebody is doing it."""


class Cancelled(DigitLabError):
    """Somebody asked a job to stop."""
