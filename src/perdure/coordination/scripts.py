"""What Redis does in one go, in Lua. Times are in microseconds of its own clock unless they say otherwise."""

from typing import Final

UNLOCK: Final = """
if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end
return 0
"""
"""Delete the lock only while it is ours: it may have run out and be another's."""

ADMIT: Final = """
local clock = redis.call("TIME")
local now = clock[1] * 1000000 + clock[2]
local interval, burst, places = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local permit, ttl = ARGV[4], tonumber(ARGV[5])
if places > 0 then
  redis.call("ZREMRANGEBYSCORE", KEYS[2], "-inf", now)
  if redis.call("ZSCORE", KEYS[2], permit) then return 0 end
  if redis.call("ZCARD", KEYS[2]) >= places then return -1 end
end
if interval > 0 then
  local due = math.min(tonumber(redis.call("GET", KEYS[1]) or now), now + burst * interval)
  local wait = due - (burst - 1) * interval - now
  if wait > 0 then return math.ceil(wait) end
  due = math.max(due, now) + interval
  redis.call("SET", KEYS[1], string.format("%.0f", due), "PX", math.ceil((due - now) / 1000) + 1)
end
if places > 0 then
  redis.call("ZADD", KEYS[2], now + ttl * 1000, permit)
  if redis.call("PTTL", KEYS[2]) < ttl then redis.call("PEXPIRE", KEYS[2], ttl) end
end
return 0
"""
"""Keys: when the next is due, the permits under way. Arguments: the interval of the rate (0: no rate), its burst, how
many may be under way (0: any number), the permit and its time to live in milliseconds. Answers 0 where the permit is
given, microseconds to wait, or -1 where all places are taken. The rate is kept as in `perdure.coordination.permits`.
"""

HOLD: Final = """
local clock = redis.call("TIME")
local ttl = tonumber(ARGV[1])
local at = clock[1] * 1000000 + clock[2] + ttl * 1000
for i, key in ipairs(KEYS) do
  redis.call("ZADD", key, at, ARGV[i + 1])
  if redis.call("PTTL", key) < ttl then redis.call("PEXPIRE", key, ttl) end
end
return 0
"""
"""Keys: for each permit the set that it is in. Arguments: milliseconds, then the permits."""
