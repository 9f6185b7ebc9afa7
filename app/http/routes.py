"""Which route a request takes, and which model it asks for there."""

from collections.abc import Mapping
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from app.registry import Registry
from app.security import Destination

NOWHERE: Destination = None, None


def destination(
    registry: Registry, rule: Rule | None, values: Mapping[str, Any] | None
) -> Destination:
    """Where a request goes that matches this rule with these values."""
    if rule is None:
        return NOWHERE
    if rule.endpoint == "predict.predict_default":
        return rule.rule, registry.default or ""
    return rule.rule, (values or {}).get("name")


class Routes:
    """Tells it of requests that Flask has not seen yet, by Flask's own map.

    Args:
        url_map: of the application.
        registry: knows the default model.
    """

    def __init__(self, url_map: Map, registry: Registry) -> None:
        self._matcher, self._registry = url_map.bind("localhost"), registry

    def find(self, method: str, path: str) -> Destination:
        """Where a request goes; the path is decoded as WSGI has it. Takes some microseconds."""
        decoded = path.encode("latin-1").decode(errors="replace")
        try:
            rule, values = self._matcher.match(decoded, method, return_rule=True)
        except HTTPException:
            return NOWHERE
        return destination(self._registry, rule, values)
