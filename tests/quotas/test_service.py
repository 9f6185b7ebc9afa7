"""The quotas of a service, without a server: who is refused what, and what is told."""

import pytest

from app.compiled import library
from app.config import Config
from app.errors import TooLarge, TooManyRequests
from app.quotas import Quotas
from app.security import ANYBODY, Caller, Scope
from app.telemetry import Log, Metrics

ALICE, BOB, BATCH = (Caller(name, frozenset(Scope)) for name in ("alice", "bob", "batch"))
HERE, THERE = "192.0.2.1", "192.0.2.2"


class Counter:
    """Quotas, and what they count."""

    def __init__(self, **settings: str) -> None:
        self.metrics = Metrics()
        config = Config.from_env({f"ORDINATE_LIMIT_{k}": v for k, v in settings.items()})
        made = Quotas.of(config, self.metrics, Log("error"), keys=True)
        assert made is not None
        self.quotas = made

    def lets_in(self, caller: Caller, address: str = HERE, tries: int = 20) -> int:
        count = 0
        for _ in range(tries):
            try:
                self.quotas.request(caller, address)
            except TooManyRequests:
                continue
            count += 1
        return count

    def refused(self, quota: str) -> bool:
        body, _ = self.metrics.render()
        return f'ordinate_quota_refusals_total{{quota="{quota}"}}' in body.decode()


def test_without_settings_there_are_no_quotas() -> None:
    config = Config.from_env({})

    assert Quotas.of(config, Metrics(), Log("error"), keys=False) is None


def test_where_keys_are_asked_for_wrong_ones_are_counted() -> None:
    config = Config.from_env({})

    assert Quotas.of(config, Metrics(), Log("error"), keys=True) is not None


def test_each_key_has_its_own_quota_wherever_it_comes_from() -> None:
    counter = Counter(KEY_REQUESTS="1/hour:3, batch=1/hour:5, bob=none")

    assert counter.lets_in(ALICE) == 3
    assert counter.lets_in(ALICE, THERE) == 0
    assert counter.lets_in(BATCH) == 5
    assert counter.lets_in(BOB) == 20
    assert counter.refused("requests-per-key")


def test_an_address_has_a_quota_with_keys_and_without() -> None:
    counter = Counter(ADDRESS_REQUESTS="1/hour:4")

    assert counter.lets_in(ALICE, tries=2) == 2
    assert counter.lets_in(ANYBODY) == 2
    assert counter.lets_in(BOB) == 0
    assert counter.lets_in(BOB, THERE) == 4
    assert counter.lets_in(ANYBODY, "2001:db8::1") == 4
    assert counter.lets_in(ANYBODY, "2001:db8::2") == 0


def test_rows_are_taken_from_the_key_or_from_the_address_of_who_has_none() -> None:
    counter = Counter(KEY_ROWS="10/hour", ADDRESS_ROWS="5/hour")

    counter.quotas.request(ALICE, HERE).charge(8)
    counter.quotas.request(ANYBODY, HERE).charge(5)

    with pytest.raises(TooManyRequests, match="quota of rows of this key"):
        counter.quotas.request(ALICE, THERE).charge(3)
    counter.quotas.request(ALICE, THERE).charge(2)
    with pytest.raises(TooManyRequests, match="quota of rows of this address"):
        counter.quotas.request(ANYBODY, HERE)
    assert counter.refused("rows-per-key")
    assert counter.refused("rows-per-address")


def test_who_has_no_row_left_is_refused_before_anything_is_read_and_pays_no_request() -> None:
    counter = Counter(KEY_ROWS="1/hour:1", KEY_REQUESTS="10/hour", ADDRESS_REQUESTS="10/hour")
    counter.quotas.request(ALICE, HERE).charge(1)

    with pytest.raises(TooManyRequests, match="quota of rows"):
        counter.quotas.request(ALICE, HERE)

    assert dict(counter.quotas.request(BOB, HERE).headers)["RateLimit"].count(";r=8;") == 1


def test_more_rows_than_are_ever_allowed_are_too_large_a_request() -> None:
    counter = Counter(KEY_ROWS="100/second:50")
    left = counter.quotas.request(ALICE, HERE)

    with pytest.raises(TooLarge, match=r"has 51 rows, .* 100 a second, 50 at once .* send 50 at"):
        left.charge(51)

    left.charge(50)


def test_wrong_keys_of_one_address_do_not_concern_others_nor_right_keys() -> None:
    counter = Counter(WRONG_KEYS="60/hour:3", ADDRESS_REQUESTS="100/hour")
    for _ in range(3):
        counter.quotas.failure(HERE)

    with pytest.raises(TooManyRequests, match="quota of wrong keys of this address") as refused:
        counter.quotas.failure(HERE)

    assert 0 < (refused.value.retry_after or 0) <= 60
    counter.quotas.failure(THERE)
    assert counter.lets_in(ALICE, HERE) == 20
    assert counter.refused("wrong-keys-per-address")


def test_wrong_keys_need_not_be_counted() -> None:
    counter = Counter(WRONG_KEYS="none", ADDRESS_REQUESTS="100/hour")

    for _ in range(1000):
        counter.quotas.failure(HERE)

    assert not counter.refused("wrong-keys-per-address")


def test_an_answer_tells_of_all_quotas_and_what_is_left_of_them() -> None:
    counter = Counter(KEY_REQUESTS="3600/hour:10", ADDRESS_REQUESTS="1/day:2", KEY_ROWS="10/minute")

    left = counter.quotas.request(ALICE, HERE)

    assert dict(left.headers) == {
        "RateLimit-Policy": '"rows-per-key";q=10;w=60, "requests-per-address";q=2;w=172800, '
        '"requests-per-key";q=10;w=10',
        "RateLimit": '"rows-per-key";r=10;t=0, "requests-per-address";r=1;t=86400, '
        '"requests-per-key";r=9;t=1',
    }
    left.charge(4)
    assert '"rows-per-key";r=6;t=24, "requests-per-address";r=1' in dict(left.headers)["RateLimit"]


def test_a_refusal_tells_which_quota_and_when_to_come_back() -> None:
    counter = Counter(KEY_REQUESTS="1/hour:2", ADDRESS_REQUESTS="100/hour")
    counter.lets_in(ALICE)

    with pytest.raises(TooManyRequests) as refused:
        counter.quotas.request(ALICE, HERE)

    wait = refused.value.retry_after
    assert wait in (3599, 3600)
    assert refused.value.message == (
        "the quota of requests of this key is used up, which is 1 an hour, 2 at once: "
        f"try again in {wait} s"
    )
    assert dict(refused.value.headers) == {
        "RateLimit-Policy": '"requests-per-address";q=100;w=3600, "requests-per-key";q=2;w=7200',
        "RateLimit": f'"requests-per-key";r=0;t={wait}',
    }


def test_a_refused_row_has_the_headers_of_the_refusal_alone() -> None:
    counter = Counter(KEY_ROWS="10/hour")
    left = counter.quotas.request(ALICE, HERE)
    left.charge(10)

    with pytest.raises(TooManyRequests) as refused:
        left.charge(1)

    assert left.headers == ()
    assert dict(refused.value.headers)["RateLimit"].startswith('"rows-per-key";r=0;t=')


def test_without_compiled_code_all_of_it_holds() -> None:
    config = Config.from_env({"ORDINATE_LIMIT_ADDRESS_REQUESTS": "1/hour:3"})
    quotas = Quotas(config, Metrics(), Log("error"), None)

    for _ in range(3):
        quotas.request(ANYBODY, HERE)
    with pytest.raises(TooManyRequests):
        quotas.request(ANYBODY, HERE)
    assert quotas.is_quick


def test_compiled_code_is_used_where_it_was_built() -> None:
    config = Config.from_env({"ORDINATE_LIMIT_ADDRESS_REQUESTS": "1/hour:3"})
    quotas = Quotas.of(config, Metrics(), Log("error"), keys=False)

    assert quotas is not None
    assert quotas._compiled is library()


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "under locks"])
def test_a_refusal_of_rows_tells_how_many_are_left(compiled: bool) -> None:
    config = Config.from_env({"ORDINATE_LIMIT_ADDRESS_ROWS": "10/hour"})
    quotas = Quotas(config, Metrics(), Log("error"), library() if compiled else None)
    quotas.request(ANYBODY, HERE).charge(7)

    for rows, wait in ((10, 2520), (4, 360)):
        with pytest.raises(TooManyRequests) as refused:
            quotas.request(ANYBODY, HERE).charge(rows)

        seconds = refused.value.retry_after
        assert seconds in (wait - 1, wait)
        told = f'"rows-per-address";r=3;t={seconds}'
        assert dict(refused.value.headers)["RateLimit"] == told
        assert refused.value.message == (
            "the quota of rows of this address, which is 10 an hour, has 3 left, and "
            f"{rows} were asked for: try again in {seconds} s, or send fewer"
        )
    quotas.request(ANYBODY, HERE).charge(3)


@pytest.mark.parametrize("burst", [1, 2, 7, 999])
@pytest.mark.parametrize("used", [1, 0.5, 0.1])
def test_as_many_rows_as_a_refusal_tells_are_let_in(burst: int, used: float) -> None:
    taken = max(1, int(used * burst))
    quotas = Counter(ADDRESS_ROWS=f"{burst}/day").quotas
    first, second, third = (quotas.request(ANYBODY, HERE) for _ in range(3))
    first.charge(taken)

    with pytest.raises(TooManyRequests) as refused:
        second.charge(burst - taken + 1)

    assert f";r={burst - taken};" in dict(refused.value.headers)["RateLimit"]
    if taken < burst:
        third.charge(burst - taken)
