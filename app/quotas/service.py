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


class Demand(NamedTuple):
    """Tokens that are asked for: from which quota, of whom, and how many; 0 asks if one is left."""

    quota: Quota
    owner: str
    tokens: int


class Plan:
    """What is counted of a caller.

    Args:
        rows: the quota of its rows, if there is one.
        address: that of the requests of its address.
        key: that of the requests with its key.

    Attributes:
        stated: all of them, as a header field.
    """

    def __init__(self, rows: Quota | None, address: Quota | None, key: Quota | None) -> None:
        self.rows, self._address, self._key = rows, address, key
        quotas = (rows, address, key)
        self.stated = ", ".join(quota.stated for quota in quotas if quota is not None)

    def demands(self, owner: str, address: str) -> list[Demand]:
        """What one request takes.

        Args:
            owner: whose rows and requests are counted: a key, or an address without one.
            address: where it comes from.
        """
        found = []
        if self.rows is not None:  # first, as a request that cannot be answered costs nothing
            found.append(Demand(self.rows, owner, 0))
        if self._address is not None:
            found.append(Demand(self._address, address, 1))
        if self._key is not None:
            found.append(Demand(self._key, owner, 1))
        return found


class Left:
    """What is left of the quotas to a caller whose request was let in.

    Attributes:
        headers: that tell of it.
    """

    __slots__ = ("_items", "_owner", "_plan", "_quotas", "headers")

    def __init__(self, quotas: "Quotas", plan: Plan, owner: str, items: list[str]) -> None:
        self._quotas, self._plan, self._owner, self._items = quotas, plan, owner, items
        self.headers: Headers = fields(plan.stated, ", ".join(items)) if items else ()

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
        told, self.headers = self.headers, ()  # an error brings its own
        self._items[:1] = self._quotas.draw(self._plan, [Demand(quota, self._owner, rows)])
        self.headers = fields(self._plan.stated, ", ".join(self._items)) if told else ()


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
        return Left(self, plan, owner, self.draw(plan, plan.demands(owner, address)))

    def failure(self, address: str) -> None:
        """Take one wrong key. Raises TooManyRequests.

        This machine alone counts them: who knows no key must not make it ask others.
        """
        if self._wrong is not None:
            self._told(self._wrong.stated, [Demand(self._wrong, network(address), 1)], None)

    def draw(self, plan: Plan, demands: Sequence[Demand]) -> list[str]:
        """Take tokens from one bucket after the other.

        Returns:
            What is left of each, as items of a header field.

        Raises:
            TooManyRequests: one has too few. Those before it have given theirs.
        """
        dues = None if self._remote is None else self._far(self._remote, demands)
        return self._told(plan.stated, demands, dues)

    def _far(self, remote: Remote, demands: Sequence[Demand]) -> list[int] | None:
        """What Redis gives; None where it does not answer, and this machine has to."""
        if not demands:
            return []
        keys = [key(each.quota.policy, each.quota.rate, each.owner) for each in demands]
        given = [number for each in demands for number in arguments(each.quota.rate, each.tokens)]
        found = remote.ask((keys, given))
        if found is None:
            self._metrics.count(QUOTA_LOCAL)
            return None
        empty, *dues = found
        if empty:
            return dues[:empty]
        for quota, owner, tokens in demands:  # should Redis be lost, what it has given counts
            quota.take(owner, tokens)
        return dues

    def _told(
        self, stated: str, demands: Sequence[Demand], dues: Sequence[int] | None
    ) -> list[str]:
        items = []
        for number, (quota, owner, tokens) in enumerate(demands):
            if dues is not None:
                due = dues[number]
            else:
                due = quota.take(owner, tokens) if tokens else quota.look(owner)
            if due < 0:
                self._metrics.count(QUOTA_REFUSALS, quota.policy)
                raise quota.refusal(-due, stated)
            items.append(quota.left(due))
        return items

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
