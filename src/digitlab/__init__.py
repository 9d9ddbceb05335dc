"""Digit Lab: reads handwritten digits, shows how, and learns from its mistakes."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow reads it when it is imported

__version__ = "0.1.0"
