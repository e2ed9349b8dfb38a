"""Shared limits as a script for a Valkey or Redis: one round trip for each question.

Theory of operation. The units of a limit are numbered in the order of asking (`issued` counts them), and a turn has the place of
its first unit. Of each rate, a sorted set has `at:units:end` entries, by the place where they end. A unit may go one window
after the unit `count` places before it. If that holds for every unit, no window has more than `count`, in whatever order the
turns are taken: of more units, two would be a multiple of `count` places apart, and so at least a window in time. The turns
are those of `arithmetic/sliding_window.py`; a turn is written only if it comes within the caller's patience.

A turn may be moved, by its place, to a later time, which delays nobody but the unit `count` places behind it. Who is promised a
turn must not be delayed any more. So a promise is made half of the shortest window ahead at most (whose turn is further off
asks again), and a turn may be moved for the other half. After that it is lost, and the next free one given. So a turn that was
`taken` later than it should have been is moved afterwards, too.

Times are whole microseconds of the server's clock, so that the clocks of the processes do not matter. A `hold`, for a 429, is
a key that expires. All keys of a service have one hash tag, so that they are in one slot of a cluster, and each expires once
its entries no longer count.
"""

from __future__ import annotations

SCRIPT = """
local hold, issued = KEYS[1], KEYS[2]

if ARGV[1] == 'hold' then
  if redis.call('PTTL', hold) < tonumber(ARGV[2]) then
    redis.call('SET', hold, '1', 'PX', ARGV[2])
  end
  return {1, 0, 0, 0}
end

local cost, patience, now = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local place, at = tonumber(ARGV[5]), tonumber(ARGV[6])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local rates = {}
local shortest = math.huge
for i = 1, (#ARGV - 6) / 3 do
  local base = 4 + i * 3
  rates[i] = {log = KEYS[2 + i], count = tonumber(ARGV[base]), length = tonumber(ARGV[base + 1]), span = tonumber(ARGV[base + 2])}
  shortest = math.min(shortest, rates[i].length)
end

local function parsed(entry)
  local moment, units, stop = string.match(entry, '(%d+):(%d+):(%d+)')
  return tonumber(moment), tonumber(units), tonumber(stop)
end

local function entries(log, first, most)
  return redis.call('ZRANGEBYSCORE', log, '(' .. string.format('%.0f', first), '+inf', 'LIMIT', 0, most)
end

local has_turn = place >= 0
for _, rate in ipairs(rates) do
  if has_turn then
    rate.entry = entries(rate.log, place, 1)[1]
    local moment, units, stop = parsed(rate.entry or '0:0:0')
    has_turn = stop - units <= place and now < moment + shortest / 2
  end
end

if ARGV[1] == 'taken' then
  if not has_turn then return {0, 0, 0, 0} end
else
  at = math.max(at, now)
  if not has_turn then place = tonumber(redis.call('GET', issued) or '0') end
  for _, rate in ipairs(rates) do
    for _, entry in ipairs(entries(rate.log, place - rate.count, cost)) do
      local moment, units, stop = parsed(entry)
      if stop - units >= place + cost - rate.count then break end
      at = math.max(at, moment + rate.length)
    end
  end
  local held = redis.call('PTTL', hold)
  if held > 0 then at = math.max(at, now + held * 1000) end
  if at - now > patience then return {0, at - now, at, place} end
end

local keep = math.max(1000, redis.call('PTTL', issued))
if not has_turn then redis.call('INCRBY', issued, cost) end
for _, rate in ipairs(rates) do
  local log, span = rate.log, rate.span
  local entry = rate.entry
  if not has_turn then
    entry = span > 0 and redis.call('ZRANGE', log, -1, -1)[1]
    if entry and math.floor(parsed(entry) / span) ~= math.floor(at / span) then entry = nil end
  end
  local moment, units, stop = at, cost, place + cost
  if entry then
    local last, known, known_stop = parsed(entry)
    moment, stop = math.max(last, at), math.max(known_stop, stop)
    units = known + stop - known_stop
    redis.call('ZREM', log, entry)
  end
  redis.call('ZADD', log, stop, string.format('%.0f:%.0f:%.0f', moment, units, stop))
  while true do
    local oldest = redis.call('ZRANGE', log, 0, 0)[1]
    if parsed(oldest) + rate.length > now then break end
    redis.call('ZREM', log, oldest)
  end
  keep = math.max(keep, math.ceil((at - now + rate.length) / 1000) + 1000)
end
-- All at once: a count whose entries are gone would count for ever.
for i = 2, #KEYS do redis.call('PEXPIRE', KEYS[i], keep) end
return {1, at - now, at, place}
"""
