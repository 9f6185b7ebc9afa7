"""Token buckets, changed at once by compiled code and under locks without it: the same answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compiled import Library, library
from app.quotas.buckets import Buckets
from app.quotas.policies import Quota, network
from app.rates import Rate, rate

SECOND = 1_000_000_000


class Clock:
    """A clock that stands still until it is moved; in nanoseconds."""

    def __init__(self) -> None:
        self.now = 123 * SECOND

    def __call__(self) -> int:
        return self.now


@pytest.fixture(params=["compiled", "locked"])
def compiled(request: pytest.FixtureRequest) -> Library | None:
    if request.param == "locked":
        return None
    found = library()
    if found is None:
        pytest.skip("the compiled code was not built")
    return found


@pytest.fixture
def clock() -> Clock:
    return Clock()


def admitted(buckets: Buckets, owner: int, tries: int) -> int:
    return sum(buckets.take(buckets.owner(owner), 1) >= 0 for _ in range(tries))


def test_a_burst_is_allowed_at_once_and_then_the_rate(
    compiled: Library | None, clock: Clock
) -> None:
    buckets = Buckets(rate("10/second:20"), compiled, clock=clock)

    assert admitted(buckets, 1, 50) == 20
    clock.now += SECOND
    assert admitted(buckets, 1, 50) == 10
    clock.now += SECOND // 10 - 1
    assert admitted(buckets, 1, 50) == 0
    clock.now += 1
    assert admitted(buckets, 1, 50) == 1
    clock.now += 3600 * SECOND
    assert admitted(buckets, 1, 50) == 20


@pytest.mark.parametrize("text", ["7/second:3", "999983/second:5", "11/day:2", "300000/second:9"])
def test_a_rate_is_met_to_the_last_one(text: str, compiled: Library | None, clock: Clock) -> None:
    """Also where the time for one is no whole number of nanoseconds, over ten periods."""
    made = rate(text)
    buckets = Buckets(made, compiled, clock=clock)
    start, found = clock.now, admitted(buckets, 1, made.burst + 1)

    for number in range(1, 200):
        clock.now = start + -(-number * made.period * SECOND // made.count)
        found += admitted(buckets, 1, 2)

    assert found == made.burst + 199


def test_refused_tokens_cost_nothing_and_tell_when_to_come_back(
    compiled: Library | None, clock: Clock
) -> None:
    buckets = Buckets(rate("10/second:20"), compiled, clock=clock)
    buckets.take(buckets.owner(1), 15)

    wait = -buckets.take(buckets.owner(1), 10)

    assert wait == 5 * buckets.rate.parts
    assert buckets.rate.seconds(wait) == 1
    assert buckets.take(buckets.owner(1), 5) >= 0
    clock.now += SECOND
    assert buckets.take(buckets.owner(1), 10) >= 0


def test_nobody_draws_from_the_bucket_of_another(compiled: Library | None, clock: Clock) -> None:
    buckets = Buckets(rate("1/hour:3"), compiled, groups=1, clock=clock)

    for tag in range(8):
        assert admitted(buckets, tag << 48 | 0xABC, 5) == (3 if tag > 1 else (3, 0)[tag])


def test_a_full_group_gives_the_place_of_the_bucket_that_lacks_least(
    compiled: Library | None, clock: Clock
) -> None:
    """Everybody is served; whoever has used up a quota stays refused by it."""
    buckets = Buckets(rate("1/hour:10"), compiled, groups=1, clock=clock)
    greedy = [tag << 48 for tag in range(1, 8)]
    for owner in greedy:
        assert admitted(buckets, owner, 20) == 10

    for tag in range(100, 200):
        assert admitted(buckets, tag << 48, 2) == 2

    assert [admitted(buckets, owner, 5) for owner in greedy] == [0] * 7


def test_a_full_bucket_is_where_another_may_be(compiled: Library | None, clock: Clock) -> None:
    buckets = Buckets(rate("1/second:1"), compiled, groups=1, clock=clock)
    for tag in range(1, 9):
        assert admitted(buckets, tag << 48, 2) == 1
    clock.now += SECOND

    for tag in range(9, 17):
        assert admitted(buckets, tag << 48, 2) == 1

    assert [admitted(buckets, tag << 48, 2) for tag in range(9, 17)] == [0] * 8


def test_after_the_years_that_a_word_can_tell_nobody_is_refused(
    compiled: Library | None, clock: Clock
) -> None:
    buckets = Buckets(rate("1000000/second:1"), compiled, clock=clock)
    clock.now += 1500 * 86400 * SECOND
    assert admitted(buckets, 1, 5) == 1
    clock.now += 1500 * 86400 * SECOND

    assert admitted(buckets, 1, 5) == 5


STEPS = st.lists(
    st.tuples(
        st.integers(0, 12), st.integers(0, 5), st.sampled_from((0, 1, 10**6, 10**8, 7 * 10**9))
    ),
    max_size=80,
)


@given(STEPS, st.sampled_from(("3/second:5", "100/minute:7", "999983/second:5", "1/day:5")))
def test_both_ways_answer_alike(steps: list[tuple[int, int, int]], text: str) -> None:
    found = library()
    if found is None:
        pytest.skip("the compiled code was not built")
    clock = Clock()
    fast, slow = (Buckets(rate(text), way, groups=1, clock=clock) for way in (found, None))

    for tag, count, pause in steps:
        clock.now += pause
        assert fast.take(fast.owner(tag << 48), count) == slow.take(tag << 48, count)


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(address: str, counts_as: str) -> None:
    assert network(address) == counts_as


def test_owners_are_where_nobody_can_aim_at() -> None:
    made = Rate(1, 3600, 1)
    one, other = (Quota("requests-per-key", Buckets(made, None), key * 32) for key in (b"a", b"b"))

    assert one._owner("alice") != other._owner("alice")
    assert one._owner("alice") != one._owner("bob")
