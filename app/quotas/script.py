"""The script that Redis runs: the same buckets, by the clock of the Redis server."""

from collections.abc import Sequence

from app.rates import Rate

SCRIPT = """
-- KEYS: buckets. ARGV, for each of them: tokens to take, 0 to see whether one is left; units of
-- time in a period; units until one more is allowed; units until all that may come at once are; the
-- period in microseconds. Answers which bucket has too few, 0 for none; then for each bucket the
-- units until it is full, minus those to wait for where it has too few. None is looked at behind
-- that one.
local found = {0}
for number = 1, #KEYS do found[number + 1] = 0 end
local time = redis.call('TIME')
-- Counted from 2025, so that doubles have bits to spare.
local microseconds = (time[1] - 1735689600) * 1000000 + time[2]
for number, key in ipairs(KEYS) do
  local function given(place) return tonumber(ARGV[number * 5 - 5 + place]) end
  local count, units, interval, most, period = given(1), given(2), given(3), given(4), given(5)
  local periods = math.floor(microseconds / period)
  local now = periods * units + math.floor((microseconds - periods * period) * (units / period))
  local function lasts(units_of_time)
    return math.ceil(units_of_time * (period / units) / 1000) + 1000
  end
  local due = math.max(0, (tonumber(redis.call('GET', key) or 0) or 0) - now)
  if due > most then
    -- The clock was set back: the bucket is empty, and fills from now on as any other.
    due = most
    redis.call('SET', key, string.format('%.0f', now + most), 'PX', lasts(most))
  end
  local after = due + math.max(count, 1) * interval
  if after > most then
    found[1] = number
    found[number + 1] = most - after
    break
  end
  if count == 0 then
    found[number + 1] = due
  else
    found[number + 1] = after
    redis.call('SET', key, string.format('%.0f', now + after), 'PX', lasts(after))
  end
end
return found
"""


def arguments(rate: Rate, count: int) -> tuple[int, ...]:
    """What the script is given for one bucket."""
    most = rate.burst * rate.parts
    return count, rate.units, rate.parts, most, rate.period * 1_000_000


def looking(given: Sequence[int | str]) -> list[int | str]:
    """What the script is given to take nothing from the buckets that this would take from."""
    each = len(arguments(Rate(1, 1, 1), 0))
    return [0 if place % each == 0 else value for place, value in enumerate(given)]


def key(policy: str, rate: Rate, owner: str) -> str:
    """What a bucket is called: with its rate, as the units of another rate are others."""
    return f"ordinate:{policy}:{rate}:{owner}"
