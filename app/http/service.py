"""What every view needs, in one object that hangs on the Flask application."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from flask import current_app

from app.config import Config
from app.http.proxies import Proxies
from app.http.shadow import Shadow
from app.journal import Journal
from app.quotas import Quotas
from app.registry import Accepted, ChangeEvent, Gap, LoadEvent, Registry
from app.security import Guard, KeyRing, doors
from app.signing import Keys
from app.store import Reader
from app.telemetry import Log, Metrics
from app.telemetry.families import CHANGES, QUEUED
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
    shadow: Shadow
    guard: Guard
    keys: KeyRing | None
    proxies: Proxies
    journal: Journal | None
    leaving: threading.Event  # set when this process takes no more requests soon

    def waited(self, seconds: float) -> None:
        """Count how long a request has waited for a thread."""
        self.metrics.observe(QUEUED, seconds)

    @classmethod
    def create(cls, config: Config, *, serves: bool = True) -> "Service":
        """Put the parts together; nothing is loaded yet. Raises ConfigError.

        What is only to look at the disk keeps no predictions, and need not be able to.
        """
        # Four times the workers, because a reload starts the new ones before the old have ended.
        metrics = Metrics(__version__, slots=max(64, 4 * config.workers))
        log = Log(config.log_level, access=config.access_log, on_loss=metrics.lost_line)
        registry = Registry(
            Reader(config.models, Keys.to_verify(config), config.max_model_bytes),
            config.model,
            partial(_loaded, metrics, log),
            config.runtime,
            shares=dict([config.canary] if config.canary else []),
            changed=partial(_changed, metrics, log),
            missing=partial(_missing, log, str(config.models.absolute())),
            accepted=Accepted.of(config),
        )
        watcher = Watcher(registry, config.refresh, log)
        shadow = Shadow(metrics, log, config.max_rows)
        keys = KeyRing.of(config, lambda level, problem: log.event(level, "keys", problem=problem))
        quotas = Quotas.of(config, metrics, log, keys=keys is not None)
        is_local = not (config.auth or config.allow_open)
        guard = Guard(keys, quotas, doors(config), is_local=is_local)
        proxies = Proxies(config.trusted_proxies)
        journal = Journal.of(config, metrics, log) if serves else None
        leaving = threading.Event()
        return cls(
            config, registry, metrics, log, watcher, shadow, guard, keys, proxies, journal, leaving
        )


def _loaded(metrics: Metrics, log: Log, event: LoadEvent) -> None:
    metrics.model_load(event.name, event.outcome)
    log.event(
        "error" if event.outcome == "refused" else "info",
        "model",
        model=event.name,
        version=event.version,
        outcome=event.outcome,
        reason=event.reason,
    )


def _changed(metrics: Metrics, log: Log, event: ChangeEvent) -> None:
    metrics.count(CHANGES, event.name, event.change.replace(" ", "_"))
    log.event(
        "info",
        "model",
        model=event.name,
        version=event.version,
        outcome=event.change,
        before=event.before,
        label=event.label,
    )


def _missing(log: Log, folder: str, gaps: Sequence[Gap]) -> None:
    for gap in gaps:
        level = "error" if gap.is_folder else "warning"
        log.event(level, "models", outcome="missing", reason=gap.why, folder=folder)
    if not gaps:
        log.event("info", "models", outcome="complete", reason=None, folder=folder)


def service() -> Service:
    """The service of the application that handles the current request or command."""
    found: Service = current_app.extensions[EXTENSION]
    return found
