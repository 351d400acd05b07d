-- GCRA for many requests in one call, as core/use_cases/limit_use_cases.py decides it: all subjects
-- of a request or none. Times are pairs of seconds and nanoseconds, since a number of Lua has no
-- room for both; differences fit, for no period is longer than a day.
--
-- KEYS     the subjects of all requests, one after the other
-- ARGV     the clock's seconds and nanoseconds, or two empty strings for the server's own clock;
--          then for each key: how many keys its request has (as they begin), its period, and how
--          far the request puts it off, both in nanoseconds
-- returns  the clock, and for each key how far it was ahead of it before this request

local SLACK_MS = 10000

local second, nanosecond
if ARGV[1] == '' then
  local time = redis.call('TIME')
  second, nanosecond = tonumber(time[1]), tonumber(time[2]) * 1000
else
  second, nanosecond = tonumber(ARGV[1]), tonumber(ARGV[2])
end

local function ahead_of(key, period)
  local kept = redis.call('GET', key)
  if not kept then
    return 0
  end
  local seconds = tonumber(string.sub(kept, 1, -10)) - second
  local ahead = seconds * 1e9 + tonumber(string.sub(kept, -9)) - nanosecond
  return math.max(0, math.min(ahead, period))
end

local function keep(key, ahead)
  local at = nanosecond + ahead
  local arrival = string.format('%d%09d', second + math.floor(at / 1e9), at % 1e9)
  redis.call('SET', key, arrival, 'PX', math.floor(ahead / 1e6) + SLACK_MS)
end

local aheads = {}
local first = 1
while first <= #KEYS do
  local last = first + tonumber(ARGV[first * 3]) - 1
  local allowed = true
  for i = first, last do
    local period = tonumber(ARGV[i * 3 + 1])
    aheads[i] = ahead_of(KEYS[i], period)
    allowed = allowed and aheads[i] + tonumber(ARGV[i * 3 + 2]) <= period
  end
  for i = first, last do
    keep(KEYS[i], aheads[i] + (allowed and tonumber(ARGV[i * 3 + 2]) or 0))
  end
  first = last + 1
end
return { second, nanosecond, aheads }
