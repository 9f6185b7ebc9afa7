"""The quotas of a service: who may ask how often, and for how many rows."""

from collections.abc import Sequence
from functools import partial
from secrets import token_bytes
from typing import NamedTuple

from app.compiled import Library, library
from app.config import Config
from app.errors import Headers, TooLarge
from app.quotas.buckets import GROUPS, Buckets
from app.quotas.policies import Policy, Quota, fields, in_words, network
from app.quotas.remote import Remote
from app.quotas.script import arguments, key
from app.rates import Rate
from app.security import Caller
from app.telemetry import Log, Metrics
from app.telemetry.families import QUOTA_FAILURES, QUOTA_LOCAL, QUOTA_REFUSALS

_OF_ONE = 1
"""Groups of a table that holds the bucket of one key."""


class Step(NamedTuple):
    """One bucket that is drawn from.

    Attributes:
        quota: whose bucket it is.
        is_of_address: whether it is that of the address, and not of who asks.
        tokens: how many are taken; 0 to see whether one is left.
    """

    quota: Quota
    is_of_address: bool
    tokens: int


class Plan:
    """What is counted of a caller.

    Args:
        rows: the quota of its rows, if there is one.
        address: that of the requests of its address.
        key: that of the requests with its key.

    Attributes:
        steps: what a request takes.
        stated: all of them, as a header field.
    """

    def __init__(self, rows: Quota | None, address: Quota | None, key: Quota | None) -> None:
        # Rows first, as a request that cannot be answered costs nothing.
        wanted = ((rows, False, 0), (address, True, 1), (key, False, 1))
        self.rows = rows
        self.steps = tuple(Step(q, of_address, n) for q, of_address, n in wanted if q is not None)
        self.stated = ", ".join(step.quota.stated for step in self.steps)


class Left:
    """What is left of the quotas to a caller whose request was let in."""

    __slots__ = ("_dues", "_owner", "_plan", "_quotas")

    def __init__(self, quotas: "Quotas", plan: Plan, owner: str, dues: list[int]) -> None:
        self._quotas, self._plan, self._owner, self._dues = quotas, plan, owner, dues

    @property
    def headers(self) -> Headers:
        """Of the answer, which tell of it."""
        if not self._dues:
            return ()
        plan, items = self._plan, []
        for (quota, _, _), due in zip(plan.steps, self._dues, strict=True):
            items.append(quota.left(due))
        return fields(plan.stated, ", ".join(items))

    def charge(self, rows: int) -> None:
        """Take so many rows. Raises TooManyRequests, and TooLarge for more than are ever left."""
        quota = self._plan.rows
        if quota is None:
            return
        if rows > quota.rate.burst:
            raise TooLarge(
                f"the request has {rows} rows, which the quota of {in_words(quota.rate)} never "
                f"allows: send {quota.rate.burst} at most"
            )
        dues, self._dues = self._dues, []  # an error brings its own headers
        steps = (Step(quota, False, rows),)
        dues[0] = self._quotas.draw(self._plan.stated, steps, self._owner, "")[0]
        self._dues = dues


class Quotas:
    """The quotas of one service, for all its workers: made before they fork.

    Args:
        config: the settings.
        metrics: counts refusals, and what Redis did not decide.
        log: told when Redis is lost and found.
        compiled: code that changes buckets at once, where it was built.

    Attributes:
        is_quick: whether it answers in microseconds, so that the event loop may ask it.
    """

    def __init__(
        self, config: Config, metrics: Metrics, log: Log, compiled: Library | None
    ) -> None:
        self._compiled, self._secret = compiled, token_bytes(32)
        self._metrics = metrics
        address = self._quota("requests-per-address", config.limit_address_requests)
        requests, rows = config.limit_key_requests, config.limit_key_rows
        key = self._quota("requests-per-key", requests.default)
        key_rows = self._quota("rows-per-key", rows.default)
        self._with_key = Plan(key_rows, address, key)
        self._named = {
            name: Plan(
                self._own(key_rows, "rows-per-key", rows.of(name)),
                address,
                self._own(key, "requests-per-key", requests.of(name)),
            )
            for name in {*requests.named, *rows.named}
        }
        of_address = self._quota("rows-per-address", config.limit_address_rows)
        self._without_key = Plan(of_address, address, None)
        self._wrong = self._quota("wrong-keys-per-address", config.limit_wrong_keys)
        self._remote: Remote | None = None
        if config.limits_url is not None:
            changed = partial(_changed, metrics, log)
            self._remote = Remote(config.limits_url.reveal(), config.threads, changed)
        self.is_quick = self._remote is None

    @classmethod
    def of(cls, config: Config, metrics: Metrics, log: Log, *, keys: bool) -> "Quotas | None":
        """The quotas that the settings ask for; None where they ask for none.

        Args:
            config: the settings.
            metrics: counts refusals, and what Redis did not decide.
            log: told when Redis is lost and found.
            keys: whether a key is asked for, so that there can be wrong ones.
        """
        of_addresses = (config.limit_address_requests, config.limit_address_rows)
        requests, rows, wrong = (
            config.limit_key_requests,
            config.limit_key_rows,
            config.limit_wrong_keys,
        )
        of_keys = (requests, rows, wrong) if keys else ()
        if any(of_addresses) or any(of_keys):
            return cls(config, metrics, log, library())
        return None

    def request(self, caller: Caller, address: str) -> Left:
        """Take one request. Raises TooManyRequests."""
        name, address = caller.name, network(address)
        if name is None:
            plan, owner = self._without_key, address
        else:
            plan, owner = self._named.get(name, self._with_key), name
        return Left(self, plan, owner, self.draw(plan.stated, plan.steps, owner, address))

    def failure(self, address: str) -> None:
        """Take one wrong key. Raises TooManyRequests.

        This machine alone counts them: who knows no key must not make it ask others.
        """
        if (quota := self._wrong) is not None:
            due = quota.take(network(address), 1)
            self._check(Step(quota, True, 1), due, quota.stated)

    def draw(self, stated: str, steps: Sequence[Step], owner: str, address: str) -> list[int]:
        """Draw from one bucket after the other.

        Args:
            stated: all policies, should there be too few tokens.
            steps: the buckets.
            owner: who asks.
            address: where from.

        Returns:
            The units of time until each is full again.

        Raises:
            TooManyRequests: one has too few. Those before it have given theirs.
        """
        if self._remote is not None:
            dues = self._far(self._remote, stated, steps, owner, address)
            if dues is not None:
                return dues
        dues = []
        for step in steps:
            due = step.quota.take(address if step.is_of_address else owner, step.tokens)
            if due < 0:
                self._check(step, due, stated)
            dues.append(due)
        return dues

    def _far(
        self, remote: Remote, stated: str, steps: Sequence[Step], owner: str, address: str
    ) -> list[int] | None:
        """The same by Redis; None where it does not answer, and this machine has to."""
        if not steps:
            return []
        keys = [
            key(quota.policy, quota.rate, address if is_of_address else owner)
            for quota, is_of_address, _ in steps
        ]
        given = [number for step in steps for number in arguments(step.quota.rate, step.tokens)]
        found = remote.ask((keys, given))
        if found is None:
            self._metrics.count(QUOTA_LOCAL)
            return None
        empty, *dues = found
        if empty:
            self._check(steps[empty - 1], dues[empty - 1], stated)
        for quota, is_of_address, tokens in steps:  # should Redis be lost, what it has given counts
            quota.take(address if is_of_address else owner, tokens)
        return dues

    def _check(self, step: Step, due: int, stated: str) -> None:
        """Count a refusal and raise it, where there is one to wait for."""
        if due < 0:
            self._metrics.count(QUOTA_REFUSALS, step.quota.policy)
            raise step.quota.refusal(max(step.tokens, 1), -due, stated)

    def _quota(self, policy: Policy, rate: Rate | None, groups: int = GROUPS) -> Quota | None:
        if rate is None:
            return None
        return Quota(policy, Buckets(rate, self._compiled, groups), self._secret)

    def _own(self, shared: Quota | None, policy: Policy, rate: Rate | None) -> Quota | None:
        """The quota of a key that has a rate of its own, or the one it shares with others."""
        if shared is not None and shared.rate == rate:
            return shared
        return self._quota(policy, rate, _OF_ONE)


def _changed(metrics: Metrics, log: Log, error: Exception | None) -> None:
    if error is None:
        log.event("info", "quotas", outcome="shared", reason="Redis answers again")
        return
    metrics.count(QUOTA_FAILURES)
    log.event(
        "warning",
        "quotas",
        outcome="not shared",
        reason="Redis does not answer as it should: this machine counts by itself",
        error=type(error).__qualname__,
    )
