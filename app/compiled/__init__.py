"""Rows in JSON read by compiled code, where it was built: ``python -m app.compiled`` builds it."""

from app.compiled.library import library
from app.compiled.plan import Plan, plan_for

__all__ = ["Plan", "library", "plan_for"]
