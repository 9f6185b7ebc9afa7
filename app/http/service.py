"""What every view needs, in one object that hangs on the Flask application."""

from dataclasses import dataclass

from flask import current_app

from app.config import Config
from app.registry import Accepted, LoadEvent, Registry
from app.signing import Keys
from app.store import Reader
from app.telemetry import Log, Metrics
from app.version import __version__
from app.watcher import Watcher

EXTENSION = "ordinate"


@dataclass(frozen=True, slots=True)
class Service:
    """The settings, the models and the instruments of one application."""

    config: Config
    registry: Registry
    metrics: Metrics
    log: Log
    watcher: Watcher

    @classmethod
    def create(cls, config: Config) -> "Service":
        """Put the parts together; nothing is loaded yet. Raises ConfigError."""
        # Four times the workers, because a reload starts the new ones before the old have ended.
        metrics = Metrics(__version__, slots=max(64, 4 * config.workers))
        log = Log(config.log_level, access=config.access_log, on_loss=metrics.lost_line)

        def tell(event: LoadEvent) -> None:
            metrics.model_load(event.name, event.outcome)
            level = "error" if event.outcome == "refused" else "info"
            log.event(
                level,
                "model",
                model=event.name,
                version=event.version,
                outcome=event.outcome,
                reason=event.reason,
            )

        reader = Reader(config.models, Keys.to_verify(config), config.max_model_bytes)
        accepted = Accepted.of(config)
        registry = Registry(reader, config.model, tell, config.runtime, accepted)
        watcher = Watcher(registry, config.refresh, log)
        return cls(config, registry, metrics, log, watcher)


def service() -> Service:
    """The service of the application that handles the current request or command."""
    found: Service = current_app.extensions[EXTENSION]
    return found
