"""How much is still allowed, of a key and of an address."""

from app.quotas.service import Quotas

__all__ = ["Quotas"]
