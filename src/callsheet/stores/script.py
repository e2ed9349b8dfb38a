"""The limiter of `arithmetic/sliding_window.py` as a script for a Valkey or Redis: one round trip for each question.

Theory of operation. Each rate has a list of `at:units` entries, oldest first, and a field `usedN` in a hash: the units in the
window that ends with the last turn, whose time is the field `end`. As in Python, a turn is found from the oldest entries; it
is written only if it comes within the caller's patience. Times are whole microseconds of the server's clock, so that the
clocks of the processes do not matter. A `hold`, for a 429, is a key that expires. All keys of a service have one hash tag,
so that they are in one slot of a cluster, and each expires once its entries no longer count.
"""

from __future__ import annotations

SCRIPT = """
local hold, state = KEYS[1], KEYS[2]

if ARGV[1] == 'hold' then
  if redis.call('PTTL', hold) < tonumber(ARGV[2]) then
    redis.call('SET', hold, '1', 'PX', ARGV[2])
  end
  return {1, 0}
end

local cost, patience, now = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if now < 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local fields = redis.call('HMGET', state, 'end', 'used1', 'used2', 'used3', 'used4', 'used5', 'used6', 'used7', 'used8')
local at = math.max(now, tonumber(fields[1] or '0'))
local rates = (#ARGV - 4) / 3
local used = {}

local function parsed(entry)
  local colon = string.find(entry, ':', 1, true)
  return tonumber(string.sub(entry, 1, colon - 1)), tonumber(string.sub(entry, colon + 1))
end

for i = 1, rates do
  local count, length = tonumber(ARGV[2 + i * 3]), tonumber(ARGV[3 + i * 3])
  used[i] = tonumber(fields[i + 1] or '0')
  local over = used[i] + cost - count
  local from = 0
  while over > 0 do
    local batch = redis.call('LRANGE', KEYS[2 + i], from, from + 49)
    if #batch == 0 then break end
    for _, entry in ipairs(batch) do
      local moment, units = parsed(entry)
      over = over - units
      if over <= 0 then
        at = math.max(at, moment + length)
        break
      end
    end
    from = from + 50
  end
end

local held = redis.call('PTTL', hold)
if held > 0 then at = math.max(at, now + held * 1000) end
if at - now > patience then return {0, at - now} end

local keep = 1000
redis.call('HSET', state, 'end', string.format('%.0f', at))
for i = 1, rates do
  local log, length, span = KEYS[2 + i], tonumber(ARGV[3 + i * 3]), tonumber(ARGV[4 + i * 3])
  local last, units = nil, cost
  if span > 0 then last = redis.call('LINDEX', log, -1) end
  local moment, known = 0, 0
  if last then moment, known = parsed(last) end
  if last and math.floor(moment / span) == math.floor(at / span) then
    redis.call('LSET', log, -1, string.format('%.0f:%.0f', at, known + cost))
  else
    redis.call('RPUSH', log, string.format('%.0f:%.0f', at, cost))
  end
  local total = used[i] + cost
  while true do
    local oldest, freed = parsed(redis.call('LINDEX', log, 0))
    if oldest + length > at then break end
    redis.call('LPOP', log)
    total = total - freed
  end
  redis.call('HSET', state, 'used' .. i, string.format('%.0f', total))
  keep = math.max(keep, math.ceil((at - now + length) / 1000) + 1000)
end
-- All at once: a count whose entries are gone would count for ever.
for i = 2, #KEYS do redis.call('PEXPIRE', KEYS[i], keep) end
return {1, at - now}
"""
