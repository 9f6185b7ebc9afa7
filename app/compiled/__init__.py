"""Rows in JSON read, and token buckets changed, by compiled code: ``python -m app.compiled``."""

from app.compiled.library import Library, library
from app.compiled.plan import Plan, plan_for

__all__ = ["Library", "Plan", "library", "plan_for"]
