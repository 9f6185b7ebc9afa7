"""How workers share connections, by what each tells the others."""

from app.worker.shares import PLACES, Share, Shares


def workers(count: int) -> list[Share]:
    """Shares of so many workers, none of which has a connection."""
    shares = Shares()
    claimed = [shares.claim() for _ in range(count)]
    for each in claimed:
        each.enter()
    return claimed


def test_whoever_has_fewest_connections_is_first() -> None:
    few, many = workers(2)

    few.tell(1)
    many.tell(2)

    assert few.is_first(1)
    assert not many.is_first(2)


def test_nobody_waits_for_a_worker_that_is_not_there_yet() -> None:
    shares = Shares()
    here = shares.claim()
    shares.claim()  # and not forked yet
    here.enter()

    here.tell(5)

    assert here.is_first(5)


def test_nobody_waits_for_a_worker_that_leaves_while_its_connections_go() -> None:
    leaving, staying = workers(2)
    leaving.tell(2)
    staying.tell(5)

    leaving.leave()
    for left in (1, 0):
        leaving.tell(left)

        assert staying.is_first(5)


def test_nobody_waits_for_a_worker_that_was_killed() -> None:
    killed, here = workers(2)
    killed.tell(2)
    here.tell(5)

    killed.release()

    assert here.is_first(5)


def test_workers_that_end_before_they_begin_take_no_place_for_good() -> None:
    shares = Shares()
    for _ in range(PLACES):
        shares.claim().release()

    few, many = shares.claim(), shares.claim()

    few.tell(1)
    many.tell(2)
    assert not many.is_first(2)
