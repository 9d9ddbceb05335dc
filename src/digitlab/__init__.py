"""Digit Lab: reads handwritten digits, shows how, and learns from its mistakes."""

__version__ = "0.1.0"
