import { Script } from "../connection/script.ts";

/**
 * Returns what may be missing on streams: the epoch, the newest event and the
 * newest broadcast of the log, and for each session the newest event that was
 * sent to it, and the newest one that was sent while it had no owner.
 */
export const NEWEST: Script = new Script(`
local meta, sessions = KEYS[1], ARGV[1]
local known = redis.call('HMGET', meta, 'epoch', 'last', 'all')
local newest = {}
for at = 2, #ARGV do
  local session = redis.call('HMGET', sessions .. ARGV[at], 't', 'q')
  newest[#newest + 1] = session[1] or '0'
  newest[#newest + 1] = session[2] or '0'
end
return { known[1] or '', known[2] or '0', known[3] or '0', newest }
`);

/**
 * Returns the entries after an event: offsets, recipients, frames, origins, and
 * when they were first appended if they were republished. Also returns the
 * newest broadcast and the newest targeted event that were trimmed.
 */
export const AFTER: Script = new Script(`
local meta, events, node, start = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local again = ARGV[4]
local known = redis.call('HMGET', meta, 'epoch', 'all', 'gone', 'lost')
local after = {}
for _, event in ipairs(
  redis.call('XRANGE', events, '(' .. start .. '-0', '+', 'COUNT', 1000)) do
  after[#after + 1] = string.match(event[1], '^%d+')
  local fields = event[2]
  after[#after + 1] = #fields == 6 and fields[2] or ''
  after[#after + 1] = fields[#fields - 2]
  after[#after + 1] = fields[#fields]
  local isAgain = string.sub(fields[#fields], 1, 1) == 'r'
  after[#after + 1] = isAgain and
    redis.call('HGET', again, after[#after - 3]) or ''
end
return { known[1] or '', known[2] or '0',
  redis.call('HGET', node, 'to') or '0', after, known[3] or '0',
  known[4] or '0' }
`);

/**
 * Returns the epoch of the log, and the sessions that had events of their own
 * after one event and up to another, which were trimmed.
 */
export const TRIMMED: Script = new Script(`
local meta, prefix, upTo = KEYS[1], ARGV[1], tonumber(ARGV[2])
local known = redis.call('HMGET', meta, 'epoch', 'began')
local began = tonumber(known[2]) or 0
local lost = {}
for at = 3, #ARGV, 2 do
  local id = ARGV[at]
  local places = prefix .. 'e:' .. id
  -- Earlier ones were in another log.
  local from = math.max(tonumber(ARGV[at + 1]) + 1, began)
  local isLost = redis.call('ZCOUNT', places, text(from), text(upTo)) > 0
  if not isLost and redis.call('EXISTS', places) == 0 then
    local newest = tonumber(redis.call('HGET', prefix .. 's:' .. id, 't'))
    isLost = newest and from <= newest and newest <= upTo
  end
  if isLost then lost[#lost + 1] = id end
end
return { known[1] or '', lost }
`);
