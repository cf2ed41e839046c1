import { Script } from "./script.ts";

// The log is a stream of events, and a hash of what is known of it:
//   epoch  which log it is; another one after Redis has lost it
//   last   the newest event; all  the newest one for everyone
//   gone   the newest one for everyone that is kept no longer; bytes  what is kept
// An event is named by its time in microseconds, which no two share. It has d, its
// frame as JSON, o, the how-manieth of which sender it is, after an r if it was in an
// earlier log already, and t, the sessions it is for as JSON, unless that is everyone.
//
// Of a session, "e:" has its own events, in their order, and its hash has t, the
// newest of them, and q, when it was given up: what was for it before its next home is
// not there. Of a node, "n:" has
// "to", the newest event that was published to it alone, and "from", how many it has
// added itself.

/** How long what is known of the log is kept that nobody uses, in milliseconds. */
export const LOG_TTL_MS = 86_400_000;

/** Drops what is too old or too much. Needs: events, meta, limits. */
const PURGE = `
local function purge()
  local count = redis.call('XLEN', events)
  local bytes = tonumber(redis.call('HGET', meta, 'bytes')) or 0
  local gone
  while count > 0 do
    local first = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
    local at = tonumber(string.match(first[1], '^%d+'))
    if count <= maxEvents and bytes <= maxBytes and at > now - maxAge then break end
    bytes = bytes - weigh(first[2])
    if #first[2] == 4 then gone = at end
    redis.call('XDEL', events, first[1])
    count = count - 1
  end
  redis.call('HSET', meta, 'bytes', count == 0 and '0' or text(bytes))
  if gone then redis.call('HSET', meta, 'gone', text(gone)) end
end
`;
const WEIGH = `
local function weigh(fields)
  local bytes = 64
  for at = 2, #fields, 2 do bytes = bytes + #fields[at] end
  return bytes
end
`;

/**
 * Looks at the log, and begins one if there is none. Answers its epoch, the newest
 * event, the newest one for everyone, and the newest one for this node alone.
 */
export const LOOK: Script = new Script(`
local meta, node, ttl = KEYS[1], ARGV[2], ARGV[3]
redis.call('HSETNX', meta, 'epoch', ARGV[1])
redis.call('PEXPIRE', meta, ttl)
redis.call('PEXPIRE', node, ttl)
local known = redis.call('HMGET', meta, 'epoch', 'last', 'all')
return { known[1], known[2] or '0', known[3] or '0',
  redis.call('HGET', node, 'to') or '0' }
`);

/**
 * Adds events, and publishes each to the nodes that it is for. Answers the number
 * of the last one of the sender that is in the log.
 */
export const APPEND: Script = new Script(`
local meta, prefix, sender, first = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local maxEvents, maxBytes, maxAge =
  tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local candidate, toAll, toNodes, ttl = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local events = prefix .. 'events'
${WEIGH}${PURGE}
redis.call('HSETNX', meta, 'epoch', candidate)
local known = redis.call('HMGET', meta, 'epoch', 'last', 'all', 'bytes')
local epoch, last, all = known[1], tonumber(known[2]) or 0, known[3] or '0'
local bytes = tonumber(known[4]) or 0
local senderKey = prefix .. 'n:' .. sender
local count = tonumber(redis.call('HGET', senderKey, 'from')) or 0
local json = cjson.encode(sender)

-- What goes to one channel in a row is one message.
local channel, before, pending
local function flush()
  if not channel then return end
  redis.call('PUBLISH', channel, '["' .. epoch .. '",' .. json .. ',"' .. before ..
    '",[' .. table.concat(pending, ',') .. ']]')
  channel = nil
end
local function publish(to, previous, event)
  if channel ~= to then
    flush()
    channel, before, pending = to, previous, {}
  end
  pending[#pending + 1] = event
end

local lastTo = {}
local at, number = 11, first
while at <= #ARGV do
  local data, mark, targets = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
  at = at + 3
  if number <= count then
    -- It is there: the answer to an earlier attempt got lost.
    if targets > 0 then at = at + targets end
  else
    count = number
    last = math.max(now, last + 1)
    local offset = text(last)
    local origin = mark .. number .. ' ' .. sender
    local event = '["' .. offset .. '",' .. number .. ',' .. data
    if targets < 0 then
      redis.call('XADD', events, offset .. '-0', 'd', data, 'o', origin)
      bytes = bytes + 64 + #data + #origin
      publish(toAll, all, event .. ']')
      all = offset
    else
      local ids, byNode, nodes = {}, {}, {}
      for index = at, at + targets - 1 do
        local id = ARGV[index]
        local key = prefix .. 's:' .. id
        local home = redis.call('HGET', key, 'h')
        if home then
          local quoted = cjson.encode(id)
          ids[#ids + 1] = quoted
          local places = prefix .. 'e:' .. id
          redis.call('ZADD', places, offset, offset)
          redis.call('PEXPIRE', places, math.ceil(maxAge / 1000))
          redis.call('HSET', key, 't', offset)
          if not byNode[home] then
            byNode[home] = {}
            nodes[#nodes + 1] = home
          end
          table.insert(byNode[home], quoted)
        end
      end
      at = at + targets
      if #ids > 0 then
        local list = '[' .. table.concat(ids, ',') .. ']'
        redis.call('XADD', events, offset .. '-0', 't', list, 'd', data, 'o', origin)
        bytes = bytes + 64 + #list + #data + #origin
      end
      for _, home in ipairs(nodes) do
        local node = prefix .. 'n:' .. home
        local previous = lastTo[node] or redis.call('HGET', node, 'to') or '0'
        publish(toNodes .. string.match(home, '^%S+ (.*)$'), previous,
          event .. ',[' .. table.concat(byNode[home], ',') .. ']]')
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
redis.call('HSET', senderKey, 'from', text(count))
redis.call('PEXPIRE', senderKey, ttl)
redis.call('HSET', meta, 'last', text(last), 'all', all, 'bytes', text(bytes))
purge()
redis.call('PEXPIRE', meta, ttl)
redis.call('PEXPIRE', events, ttl)
return text(count)
`);

/**
 * Answers what a session has missed after an event, as frames with their places, or
 * why that cannot be had; and the newest event that its node has to have delivered,
 * and the newest of all, up to which nothing else is for the session.
 */
export const MISSED: Script = new Script(`
local meta, prefix, id, node = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local maxEvents, maxBytes, maxAge =
  tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local events = prefix .. 'events'
local known = redis.call('HMGET', meta, 'epoch', 'last', 'all')
local to = redis.call('HGET', node, 'to') or '0'
local last, all = tonumber(known[2]) or 0, tonumber(known[3]) or 0
local upTo = text(math.max(all, tonumber(to)))
local newest = text(last)
if ARGV[7] == '' then return { known[1] or '', upTo, '', {}, newest } end
local epoch, claimed, since = ARGV[8], tonumber(ARGV[7]), tonumber(ARGV[9])
if known[1] ~= epoch then return { known[1] or '', upTo, 'unknown', {}, newest } end
if claimed > last then return { epoch, upTo, 'future', {}, newest } end
${WEIGH}${PURGE}
purge()
local gone = tonumber(redis.call('HGET', meta, 'gone')) or 0
local start = math.max(claimed, since)
if start < gone then return { epoch, upTo, 'purged', {}, newest } end
-- Those are for nodes that had not heard them when an earlier log was lost.
local function repeated(origin) return string.sub(origin, 1, 1) == 'r' end
local found = {}
local session = redis.call('HMGET', prefix .. 's:' .. id, 't', 'q')
local own = session[1]
if session[2] and start < tonumber(session[2]) then
  return { epoch, upTo, 'purged', {}, newest }
end
if own and tonumber(own) > start then
  local places = redis.call('ZRANGEBYSCORE', prefix .. 'e:' .. id,
    '(' .. text(start), '+inf')
  if #places == 0 then return { epoch, upTo, 'purged', {}, newest } end
  for _, place in ipairs(places) do
    local event = redis.call('XRANGE', events, place .. '-0', place .. '-0')[1]
    if not event then return { epoch, upTo, 'purged', {}, newest } end
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
return { epoch, upTo, '', missed, newest }
`);

/** Answers what comes after an event: places, sessions, frames and origins. */
export const AFTER: Script = new Script(`
local meta, events, node, start = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HMGET', meta, 'epoch', 'last', 'all')
local after = {}
for _, event in ipairs(
  redis.call('XRANGE', events, '(' .. start .. '-0', '+', 'COUNT', 1000)) do
  after[#after + 1] = string.match(event[1], '^%d+')
  local fields = event[2]
  after[#after + 1] = #fields == 6 and fields[2] or ''
  after[#after + 1] = fields[#fields - 2]
  after[#after + 1] = fields[#fields]
end
return { known[1] or '', known[3] or '0',
  redis.call('HGET', node, 'to') or '0', after }
`);
