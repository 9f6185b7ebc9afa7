"""Signals for a worker that is being forked, kept until it can take them.

A new process has the master's handlers, which put a signal into a queue that nobody reads there. A
SIGTERM in that moment would be lost, and the worker be killed at the end of the master's patience,
with all requests that it had in its hands.
"""

import os
import signal

KEPT = (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT, signal.SIGUSR1, signal.SIGWINCH)


class ForkSignals:
    """What is done around the forks of one process that are announced, and around no others."""

    def __init__(self) -> None:
        """Prepare this process and those forked from it."""
        self._is_announced = False
        os.register_at_fork(before=self._keep, after_in_parent=self._let)

    def announce(self) -> None:
        """Say that the next fork makes a worker."""
        self._is_announced = True

    def _keep(self) -> None:
        if self._is_announced:
            signal.pthread_sigmask(signal.SIG_BLOCK, KEPT)

    def _let(self) -> None:
        if self._is_announced:
            self._is_announced = False
            signal.pthread_sigmask(signal.SIG_UNBLOCK, KEPT)

    def over(self) -> None:
        """Have what was kept delivered. For the new process, once it has handlers of its own."""
        self._is_announced = False
        signal.pthread_sigmask(signal.SIG_UNBLOCK, KEPT)
