"""The version of Ordinate itself."""

__version__ = "0.1.0"
