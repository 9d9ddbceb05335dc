"""Digit Lab: reads handwritten digits, shows how, and learns from its mistakes."""

import os

# For TensorFlow, which reads them when something imports it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # where it is not the default: without AVX-512

__version__ = "0.1.0"
