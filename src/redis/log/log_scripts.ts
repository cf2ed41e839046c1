import { Script } from "../connection/script.ts";

// The log is a stream of events, and a hash of what is known of it:
//   epoch  which log it is; another one after Redis has lost it
//   last   the newest event; all  the newest one for everyone
//   began  when, in microseconds
//   gone   the newest one for everyone that is kept no longer; bytes  what is kept
// An event is named by its time in microseconds, which no two share. It has d, its
// frame as JSON, o, the how-manieth of which sender it is, after an r if it was in an
// earlier log already, and t, the sessions it is for as JSON, unless that is everyone.
//
// Of a session, "e:" has its own events, in their order, from the newest one on that
// is kept no longer. Its hash has t, the newest of them, and q, the newest one that
// was for it while nobody could tell where it would come back. Of a node, "n:" has
// "to", the newest event that was published to it alone, and "from", how many it has
// added itself.

/** How long what is known of the log is kept that nobody uses, in milliseconds. */
export const LOG_TTL_MS = 86_400_000;

/** Drops what is too old or too much. Needs: events, meta, limits. */
const PURGE = `
local function weigh(fields)
  local bytes = 64
  for at = 2, #fields, 2 do bytes = bytes + #fields[at] end
  return bytes
end
local function purge()
  local count = redis.call('XLEN', events)
  local known = redis.call('HMGET', meta, 'bytes', 'gone', 'all')
  local bytes, gone = tonumber(known[1]) or 0, tonumber(known[2]) or 0
  while count > 0 do
    local first = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
    local at = tonumber(string.match(first[1], '^%d+'))
    if count <= maxEvents and bytes <= maxBytes and at > now - maxAge then break end
    bytes = bytes - weigh(first[2])
    if #first[2] == 4 then gone = at end
    redis.call('XDEL', events, first[1])
    count = count - 1
  end
  if count == 0 then
    -- It may have expired as a whole.
    gone = math.max(gone, tonumber(known[3]) or 0)
    bytes = 0
  end
  if gone > 0 then redis.call('HSET', meta, 'gone', text(gone)) end
  redis.call('HSET', meta, 'bytes', text(bytes))
end
`;

/**
 * Looks at the log, and begins one if there is none, or if it lacks what was in it
 * before. Answers its epoch, the newest event, the newest one for everyone, and the
 * newest one for this node alone.
 */
export const LOOK: Script = new Script(`
local meta, node, ttl, prefix = KEYS[1], ARGV[2], ARGV[3], ARGV[4]
local epoch, newest = ARGV[5], tonumber(ARGV[6])
local known = redis.call('HMGET', meta, 'epoch', 'last', 'all')
if known[1] == epoch and (tonumber(known[2]) or 0) < newest then
  -- An older copy of it: places in it would mean something else.
  redis.call('DEL', meta, prefix .. 'events')
  known = { false, false, false }
end
if not known[1] then
  known = { ARGV[1], '0', '0' }
  redis.call('HSET', meta, 'epoch', ARGV[1], 'began', text(now))
end
redis.call('PEXPIRE', meta, ttl)
redis.call('PEXPIRE', node, ttl)
return { known[1], known[2] or '0', known[3] or '0',
  redis.call('HGET', node, 'to') or '0' }
`);

/**
 * Adds events, and publishes each to the nodes that it is for. Answers "lost" if the
 * log is not the expected one; nothing is added then.
 */
export const APPEND: Script = new Script(`
local meta, prefix, sender, first = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local maxEvents, maxBytes, maxAge =
  tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local candidate, toAll, toNodes, ttl = ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local expected = ARGV[11]
local events = prefix .. 'events'
${PURGE}
local known = redis.call('HMGET', meta, 'epoch', 'last', 'all', 'bytes',
  'began')
if expected ~= '' and known[1] ~= expected then return 'lost' end
local epoch, last, all = known[1], tonumber(known[2]) or 0, known[3] or '0'
if not epoch then
  epoch = candidate
  redis.call('HSET', meta, 'epoch', epoch, 'began', text(now))
end
local bytes, began = tonumber(known[4]) or 0, tonumber(known[5]) or now
local senderKey = prefix .. 'n:' .. sender
local count = tonumber(redis.call('HGET', senderKey, 'from')) or 0
local json = cjson.encode(sender)

-- What goes to one channel in a row is one message.
local channel, before, pending, recipient
local function flush()
  if not channel then return end
  redis.call('PUBLISH', channel, '["' .. epoch .. '",' .. json .. ',"' .. before ..
    '",[' .. table.concat(pending, ',') .. ']' .. recipient .. ']')
  channel = nil
end
local function publish(to, home, previous, event)
  if channel ~= to or recipient ~= home then
    flush()
    channel, recipient, before, pending = to, home, previous, {}
  end
  pending[#pending + 1] = event
end

local function note(id, offset)
  local places = prefix .. 'e:' .. id
  redis.call('ZADD', places, offset, offset)
  redis.call('PEXPIRE', places, text(math.ceil(maxAge / 1000)))
  redis.call('HSET', prefix .. 's:' .. id, 't', offset)
  local kept = redis.call('ZCARD', places)
  -- Now and then is enough.
  if kept < 32 or kept % 16 > 0 then return end
  -- The newest that is kept no longer stays, to tell so.
  local old = redis.call('ZCOUNT', places, '-inf', text(now - maxAge))
  local over = math.max(old - 2, kept - maxEvents - 2)
  if over >= 0 then redis.call('ZREMRANGEBYRANK', places, 0, text(over)) end
end

local lastTo = {}
local at, number = 12, first
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
    local origin = mark .. text(number) .. ' ' .. sender
    local event = '["' .. offset .. '","' .. mark .. '",' .. text(number) .. ',' ..
      data
    if targets < 0 then
      redis.call('XADD', events, offset .. '-0', 'd', data, 'o', origin)
      bytes = bytes + 64 + #data + #origin
      publish(toAll, '', all, event .. ']')
      all = offset
    else
      local ids, byNode, nodes = {}, {}, {}
      for index = at, at + targets - 1 do
        local id = ARGV[index]
        local key = prefix .. 's:' .. id
        local known = redis.call('HMGET', key, 'h', 'i')
        local home = known[1]
        if home and mark ~= '' and tonumber(known[2]) > began then
          -- Its client came back since, and was told that it may have missed some.
          home = nil
        elseif home then
          local quoted = cjson.encode(id)
          ids[#ids + 1] = quoted
          note(id, offset)
          if not byNode[home] then
            byNode[home] = {}
            nodes[#nodes + 1] = home
          end
          table.insert(byNode[home], quoted)
        elseif redis.call('EXISTS', key) == 1 then
          redis.call('HSET', key, 'q', offset)
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
        publish(toNodes .. string.match(home, '^%S+ (.*)$'),
          ',' .. cjson.encode(home), previous,
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
return 'added'
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
-- Those are for nodes that had not heard them when an earlier log was lost.
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

/**
 * Answers what comes after an event: places, sessions, frames and origins; and the
 * newest event for everyone that is kept no longer.
 */
export const AFTER: Script = new Script(`
local meta, events, node, start = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HMGET', meta, 'epoch', 'all', 'gone')
local after = {}
for _, event in ipairs(
  redis.call('XRANGE', events, '(' .. start .. '-0', '+', 'COUNT', 1000)) do
  after[#after + 1] = string.match(event[1], '^%d+')
  local fields = event[2]
  after[#after + 1] = #fields == 6 and fields[2] or ''
  after[#after + 1] = fields[#fields - 2]
  after[#after + 1] = fields[#fields]
end
return { known[1] or '', known[2] or '0',
  redis.call('HGET', node, 'to') or '0', after, known[3] or '0' }
`);
