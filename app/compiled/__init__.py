"""Rows in JSON read by compiled code, where it was built: ``python -m app.compiled`` builds it."""

from app.compiled.library import Library, library
from app.compiled.plan import Plan, plan_for

__all__ = ["Library", "Plan", "library", "plan_for"]
