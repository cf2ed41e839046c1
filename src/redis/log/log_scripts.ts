import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import { RUN_ID, Script } from "../connection/script.ts";
import { SHARE } from "./share_script.ts";

// The log is a Redis stream with the events, and a hash with its state:
//
//   epoch  identifies the log; Redis gets a new one after losing it
//   last   the newest event
//   all    the newest broadcast
//   own    the newest targeted event
//   began  when the log began, in microseconds
//   gone   the newest broadcast that was trimmed
//   lost   the newest targeted event that was trimmed
//   bytes  the size of all events
//   server the run ID of the server that has it; a copy has the wrong one
//
// The ID of an event is its time in microseconds, made unique. Its fields are:
//
//   d  the frame as JSON
//   o  the origin: sequence number and sender, after an "r" if it was republished
//   t  the recipients as JSON; missing for a broadcast
//
// The hash "again" has when broadcasts that were republished were first appended.
// For each session, the sorted set "e:" has its targeted events. Its hash has t, the
// newest of them, and q, the newest one that was sent while it had no owner. For each
// node, the hash "n:" has "to", the newest event that was published to it alone,
// "from", the number of the last event that it has appended, and "log", to which log.

/** How long the state of an unused log is kept, in milliseconds. */
export const LOG_TTL_MS = 86_400_000;

/**
 * Drops events until the log is within its limits. Of events that are only too
 * old, it drops some: the server must not be busy for long. Needs: events, meta,
 * limits.
 */
const PURGE = `
local function weigh(fields)
  local bytes = 64
  for at = 2, #fields, 2 do bytes = bytes + #fields[at] end
  return bytes
end
local function purge()
  local count = redis.call('XLEN', events)
  local known = redis.call('HMGET', meta, 'bytes', 'gone', 'all', 'lost', 'own')
  local bytes, gone = tonumber(known[1]) or 0, tonumber(known[2]) or 0
  local oldLeft = 1000
  local lost = tonumber(known[4]) or 0
  while count > 0 do
    local first = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
    local at = tonumber(string.match(first[1], '^%d+'))
    if count <= maxEvents and bytes <= maxBytes then
      if at > now - maxAge or oldLeft == 0 then break end
      oldLeft = oldLeft - 1
    end
    bytes = bytes - weigh(first[2])
    if #first[2] == 4 then gone = at else lost = at end
    redis.call('XDEL', events, first[1])
    count = count - 1
  end
  if count == 0 then
    -- The whole key may have expired.
    gone = math.max(gone, tonumber(known[3]) or 0)
    lost = math.max(lost, tonumber(known[5]) or 0)
    bytes = 0
  end
  if gone > 0 then redis.call('HSET', meta, 'gone', text(gone)) end
  if lost > 0 then redis.call('HSET', meta, 'lost', text(lost)) end
  redis.call('HSET', meta, 'bytes', text(bytes))
end
`;

/**
 * Reads the state of the log. Returns its epoch, the newest event, the newest
 * broadcast, the newest event for this node alone, and the time.
 *
 * Creates a log if there is none, or if events may be missing: if another server
 * wrote it (after a restart or a failover, nobody can tell what it lacks), or if
 * it has less than this node has seen or appended. Other nodes are told if there
 * was one before.
 */
export const LOOK: Script = new Script(`
local meta, node, ttl, prefix = KEYS[1], ARGV[2], ARGV[3], ARGV[4]
local epoch, newest, appended = ARGV[5], tonumber(ARGV[6]), tonumber(ARGV[7])
${RUN_ID}
local known = redis.call('HMGET', meta, 'epoch', 'last', 'all', 'server')
local own = redis.call('HMGET', node, 'to', 'from', 'log')
local last = tonumber(known[2]) or 0
local isCopy = server and known[4] and known[4] ~= server
local isOlder = known[1] == epoch and
  (last < newest or (own[3] == epoch and tonumber(own[2]) or 0) < appended)
if isCopy or isOlder then
  redis.call('DEL', meta, prefix .. 'events', prefix .. 'again')
  -- Offsets are never used twice, even if this server's clock is behind.
  if known[1] == epoch then last = math.max(last, newest) end
  known = { false }
end
if not known[1] then
  known = { ARGV[1], text(last), '0' }
  redis.call('HSET', meta, 'epoch', ARGV[1], 'began', text(now),
    'last', text(last))
  -- The other nodes must restore their sessions before anybody sends to them.
  if isCopy or epoch ~= '' then
    redis.call('PUBLISH', ARGV[8], '["' .. ARGV[1] .. '","","0",[]]')
  end
end
if server and known[4] ~= server then
  redis.call('HSET', meta, 'server', server)
end
redis.call('PEXPIRE', meta, ttl)
redis.call('PEXPIRE', node, ttl)
return { known[1], known[2] or '0', known[3] or '0', own[1] or '0', text(now) }
`);

/**
 * Appends events, and publishes each to the nodes of its recipients. Returns the
 * newest event, or "lost" if the log is not the expected one; then nothing is
 * appended.
 */
export const APPEND: Script = new Script(`
local meta, prefix, sender, first = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local maxEvents, maxBytes, maxAge =
  tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local share, candidate, toAll = tonumber(ARGV[7]), ARGV[8], ARGV[9]
local toNodes, ttl, expected = ARGV[10], ARGV[11], ARGV[12]
local events = prefix .. 'events'
${PURGE}
local known = redis.call('HMGET', meta, 'epoch', 'last', 'all', 'bytes', 'began')
if expected ~= '' and known[1] ~= expected then return 'lost' end
local epoch, last, all = known[1], tonumber(known[2]) or 0, known[3] or '0'
if not epoch then
  epoch = candidate
  redis.call('HSET', meta, 'epoch', epoch, 'began', text(now))
end
local bytes, began = tonumber(known[4]) or 0, tonumber(known[5]) or now
${SHARE}
local senderKey = prefix .. 'n:' .. sender
local from = redis.call('HMGET', senderKey, 'from', 'log')
-- What it has appended to an earlier log is not in this one.
local count = from[2] == epoch and tonumber(from[1]) or 0
local json = cjson.encode(sender)

-- Consecutive events on one channel share a message.
local channel, before, pending, recipient
local function flush()
  if not channel then return end
  redis.call('PUBLISH', channel, '["' .. epoch .. '",' .. json .. ',"' .. before ..
    '",[' .. table.concat(pending, ',') .. ']' .. recipient .. ']')
  channel = nil
end
local function publish(to, owner, previous, event)
  if channel ~= to or recipient ~= owner then
    flush()
    channel, recipient, before, pending = to, owner, previous, {}
  end
  pending[#pending + 1] = event
end

local function note(id, offset, index)
  local places = prefix .. 'e:' .. id
  redis.call('ZADD', places, offset, offset)
  redis.call('PEXPIRE', places, text(math.ceil(maxAge / 1000)))
  redis.call('HSET', prefix .. 's:' .. id, 't', offset)
  local kept = redis.call('ZCARD', places)
  dropOwn(id, places, kept)
  -- Trimming occasionally is enough, at another time for each recipient.
  if kept < 32 or (tonumber(offset) + index) % 16 > 0 then return end
  -- The newest trimmed event stays, as a low watermark.
  local old = redis.call('ZCOUNT', places, '-inf', text(now - maxAge))
  local over = math.max(old - 2, kept - maxEvents - 2)
  if over >= 0 then redis.call('ZREMRANGEBYRANK', places, 0, text(over)) end
end

local lastTo, own = {}, nil
local at, number = 13, first
while at <= #ARGV do
  local data, mark, targets = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  local kind, earlier = string.sub(mark, 1, 1), tonumber(string.sub(mark, 2))
  at = at + 3
  if number <= count then
    -- It was appended before: the reply to an earlier attempt was lost.
    if targets > 0 then at = at + targets end
  else
    count = number
    last = math.max(now, last + 1)
    local offset = text(last)
    local origin = kind .. text(number) .. ' ' .. sender
    local event = '["' .. offset .. '","' .. mark .. '",' .. text(number) .. ',' ..
      data
    if targets < 0 then
      redis.call('XADD', events, offset .. '-0', 'd', data, 'o', origin)
      if earlier then
        redis.call('HSET', prefix .. 'again', offset, text(earlier))
        redis.call('PEXPIRE', prefix .. 'again', ttl)
      end
      bytes = bytes + 64 + #data + #origin
      publish(toAll, '', all, event .. ']')
      all = offset
    else
      local ids, byNode, nodes = {}, {}, {}
      for index = at, at + targets - 1 do
        local id = ARGV[index]
        local key = prefix .. 's:' .. id
        local known = redis.call('HMGET', key, 'h', 'i')
        local owner = known[1]
        if owner and mark ~= '' and tonumber(known[2]) > (earlier or began) then
          -- Its client has reconnected since, and got it, or a reset.
          owner = nil
        elseif owner then
          local quoted = cjson.encode(id)
          ids[#ids + 1] = quoted
          note(id, offset, index)
          if not byNode[owner] then
            byNode[owner] = {}
            nodes[#nodes + 1] = owner
          end
          table.insert(byNode[owner], quoted)
        elseif redis.call('EXISTS', key) == 1 then
          redis.call('HSET', key, 'q', offset)
        end
      end
      at = at + targets
      if #ids > 0 then
        local list = '[' .. table.concat(ids, ',') .. ']'
        redis.call('XADD', events, offset .. '-0', 't', list, 'd', data, 'o', origin)
        own = offset
        bytes = bytes + 64 + #list + #data + #origin
      end
      for _, owner in ipairs(nodes) do
        local node = prefix .. 'n:' .. owner
        local previous = lastTo[node] or redis.call('HGET', node, 'to') or '0'
        publish(toNodes .. string.match(owner, '^%S+ (.*)$'),
          ',' .. cjson.encode(owner), previous,
          event .. ',[' .. table.concat(byNode[owner], ',') .. ']]')
        lastTo[node] = offset
      end
    end
  end
  number = number + 1
end
flush()
for node, offset in pairs(lastTo) do
  redis.call('HSET', node, 'to', offset)
  redis.call('PEXPIRE', node, ttl)
end
redis.call('HSET', senderKey, 'from', text(count), 'log', epoch)
redis.call('PEXPIRE', senderKey, ttl)
redis.call('HSET', meta, 'last', text(last), 'all', all, 'bytes', text(bytes))
if own then redis.call('HSET', meta, 'own', own) end
purge()
redis.call('PEXPIRE', meta, ttl)
redis.call('PEXPIRE', events, ttl)
return text(last)
`);

/**
 * Returns what a session has missed after an event, as offsets and frames, or
 * the reason for a reset. Also returns the event up to which the node must have
 * delivered, and the newest event, up to which nothing else is for the session.
 */
export const MISSED: Script = new Script(`
local meta, prefix, id, node = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local maxEvents, maxBytes, maxAge =
  tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local events = prefix .. 'events'
local known = redis.call('HMGET', meta, 'epoch', 'last', 'all')
local to = redis.call('HGET', node, 'to') or '0'
local last, all = tonumber(known[2]) or 0, tonumber(known[3]) or 0
local function answer(reset, missed)
  return { known[1] or '', text(math.max(all, tonumber(to))), reset, missed or {},
    text(last) }
end
if ARGV[7] == '' then return answer('') end
local epoch, claimed, since = ARGV[8], tonumber(ARGV[7]), tonumber(ARGV[9])
if known[1] ~= epoch then return answer('unknown') end
if claimed > last then return answer('future') end
${PURGE}
purge()
local gone = tonumber(redis.call('HGET', meta, 'gone')) or 0
local start = math.max(claimed, since)
if start < gone then return answer('purged') end
-- Republished events are for nodes that had missed them when an earlier log was lost.
local function repeated(origin) return string.sub(origin, 1, 1) == 'r' end
local found = {}
local session = redis.call('HMGET', prefix .. 's:' .. id, 't', 'q')
if session[2] and start < tonumber(session[2]) then return answer('purged') end
if session[1] and tonumber(session[1]) > start then
  local places = redis.call('ZRANGEBYSCORE', prefix .. 'e:' .. id,
    '(' .. text(start), '+inf')
  if #places == 0 then return answer('purged') end
  for _, place in ipairs(places) do
    local event = redis.call('XRANGE', events, place .. '-0', place .. '-0')[1]
    if not event then return answer('purged') end
    if not repeated(event[2][6]) then
      found[#found + 1] = { tonumber(place), place, event[2][4] }
    end
  end
end
if all > start then
  local after = text(start + 1) .. '-0'
  for _, event in ipairs(redis.call('XRANGE', events, after, '+')) do
    if #event[2] == 4 and not repeated(event[2][4]) then
      local place = string.match(event[1], '^%d+')
      found[#found + 1] = { tonumber(place), place, event[2][2] }
    end
  end
end
table.sort(found, function(one, other) return one[1] < other[1] end)
local missed = {}
for _, event in ipairs(found) do
  missed[#missed + 1] = event[2]
  missed[#missed + 1] = event[3]
end
return answer('', missed)
`);

/** The maximum of `maxAgeMs`, in milliseconds: thirty days. */
const MAX_AGE_MS = 2_592_000_000;

/** The limits as arguments of scripts: events, bytes, microseconds. */
export function limitsOf(
  { maxEvents, maxBytes, maxAgeMs }: ReplaySettings,
): string[] {
  return [
    String(Math.min(maxEvents, Number.MAX_SAFE_INTEGER)),
    String(Math.min(maxBytes, Number.MAX_SAFE_INTEGER)),
    String(Math.ceil(Math.min(maxAgeMs, MAX_AGE_MS) * 1_000)),
  ];
}
