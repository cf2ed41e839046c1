import { METADATA_LETTERS } from "./metadata_fields.ts";
import { RUN_ID, Script } from "../connection/script.ts";
import { KEEP_PRINCIPAL, PRINCIPALS } from "./principal_scripts.ts";

// A session is a hash. Its metadata fields are: c, the client info; b, the
// capabilities; l, the log level; d, the data; a, its initialize request; s, the
// node that has its server; r, the principal; n, the newest event when it began;
// w, when it began; "u:" and a URI for each subscription. A field that was
// restored after Redis had lost it also has "~" and its name, with the time when
// it was last confirmed. The set "u:" and a URI has the sessions that subscribed
// to a resource, scored by the earliest time at which they may expire, in
// milliseconds. The set "known" has all sessions, if their number is limited.

/**
 * Sets of sessions. Members expire one by one, without notice if they are used.
 * A set that nobody uses is kept for thirty days. Needs: prefix.
 */
const SETS = `
local SET_TTL = 2592000000
local PRUNED = 1000
local function put(set, id, ttl)
  redis.call('ZADD', set, text(now / 1000 + ttl), id)
  extend(set, math.max(ttl, SET_TTL))
end
-- Removes members that have expired, or lack a field. Returns whether some
-- have not been checked: the server must not be busy for long.
local function prune(set, field)
  local due = redis.call(
    'ZRANGEBYSCORE', set, '-inf', text(now / 1000), 'LIMIT', 0, PRUNED)
  for _, id in ipairs(due) do
    local key = prefix .. 's:' .. id
    local left = redis.call('PTTL', key)
    if left > 0 and (not field or redis.call('HEXISTS', key, field) == 1) then
      redis.call('ZADD', set, text(now / 1000 + left), id)
    else
      redis.call('ZREM', set, id)
    end
  end
  return #due == PRUNED
end
-- Returns whether a set has as many members as it may have.
local function isFull(set, most)
  for _ = 1, 10 do
    if redis.call('ZCARD', set) < most then return false end
    if not prune(set) then break end
  end
  return redis.call('ZCARD', set) >= most
end
`;

/** Admits a session, if `maxSessions` allows it. Needs: sets, max, id, ttl. */
const ADMIT = `
local known = prefix .. 'known'
local function admit()
  if max <= 0 then return true end
  if not redis.call('ZSCORE', known, id) and isFull(known, max) then
    return false
  end
  put(known, id, ttl)
  return true
end
`;

/**
 * Writes or removes a field of a session. Returns the time, "" if the session was
 * not admitted, or "full" if it has too many subscriptions.
 */
export const WRITE: Script = new Script(`
local key, prefix, id = KEYS[1], ARGV[1], ARGV[2]
local ttl, max, maxUris = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local action, field, value = ARGV[7], ARGV[8], ARGV[9]
local isUri = string.sub(field, 1, 2) == 'u:'
${SETS}${ADMIT}
local function hasMaxUris()
  -- The other fields are few.
  if redis.call('HLEN', key) < maxUris then return false end
  local uris = 0
  for _, name in ipairs(redis.call('HKEYS', key)) do
    if string.sub(name, 1, 2) == 'u:' then uris = uris + 1 end
  end
  return uris >= maxUris
end
if action == 'set' then
  if isUri and maxUris > 0 and hasMaxUris()
    and redis.call('HEXISTS', key, field) == 0 then return 'full' end
  if not admit() then return '' end
  redis.call('HSET', key, field, value)
  if isUri then put(prefix .. field, id, ttl) end
else
  redis.call('HDEL', key, field)
  if isUri then redis.call('ZREM', prefix .. field, id) end
end
redis.call('HDEL', key, '~' .. field)
extend(key, ttl)
return text(now)
`);

/**
 * Registers a session, unless it exists. Returns its principal and start event
 * ID, the time if it is new, and others that were found to have expired; or ""
 * if it was not admitted, with "full" if its principal has too many.
 */
export const REGISTER: Script = new Script(`
local key, prefix, id = KEYS[1], ARGV[1], ARGV[2]
local ttl, max, maxOwn = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
local owner = ARGV[7]
${SETS}${ADMIT}${PRINCIPALS}${KEEP_PRINCIPAL}
local there = redis.call('HMGET', key, 'r', 'n')
if there[1] then return { there[1], there[2] or '', '' } end
local full = { '', 'full', '' }
if maxOwn > 0 and owner ~= '-' and hasmaximum(owner, maxOwn, full) then
  return full
end
if not admit() then return { '' } end
local meta = redis.call('HMGET', prefix .. 'log', 'epoch', 'last')
local newest = meta[1] and meta[1] .. '-' .. (meta[2] or '0') or ''
redis.call('HSET', key, 'r', owner, 'w', text(now))
if ARGV[8] == 'log' then redis.call('HSET', key, 'n', newest) end
extend(key, ttl)
local answer = { owner, newest, text(now), unpack(full, 4) }
list(owner, id)
keepprincipal(owner)
prunesome(owner, answer)
return answer
`);

/**
 * Returns a field of a session, the time, the epoch of the log, and when the
 * field was last confirmed, if it was restored. Counts as use.
 */
export const READ: Script = new Script(`
local known = redis.call('HMGET', KEYS[1], ARGV[2], '~' .. ARGV[2])
extend(KEYS[1], ARGV[3])
return { known[1], text(now), redis.call('HGET', ARGV[1], 'epoch') or '',
  known[2] or '' }
`);

/**
 * Returns the principal and the start event ID of a session, the time, the
 * epoch of the log, and when the session began. Does not count as use. There is
 * no epoch if the session is unknown to a copy of the server, which may have
 * taken over without notice.
 */
export const PEEK: Script = new Script(`
local values = redis.call('HMGET', KEYS[1], 'r', 'n', 'w')
local known = redis.call('HMGET', ARGV[1], 'epoch', 'server')
local epoch = known[1] or ''
if not values[1] and known[2] then
  ${RUN_ID}
  if server and server ~= known[2] then epoch = '' end
end
return { values[1] or '', values[2] or '', text(now), epoch, values[3] or '' }
`);

/** Returns a field of a session. Does not count as use. */
export const PEEK_FIELD: Script = new Script(`
return redis.call('HGET', KEYS[1], ARGV[1])
`);

/** Returns the resources that a session subscribed to. */
export const SUBSCRIPTIONS: Script = new Script(`
local uris = {}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 2) == 'u:' then
    uris[#uris + 1] = string.sub(field, 3)
  end
end
return uris
`);

/** Marks a session as used. */
export const TOUCH: Script = new Script(`
local prefix, ttl = ARGV[1], ARGV[2]
${KEEP_PRINCIPAL}
extend(KEYS[1], ttl)
local principal = redis.call('HGET', KEYS[1], 'r')
if principal then keepprincipal(principal) end
return 1
`);

/**
 * Returns the sessions that subscribed to a resource; false if it has to be
 * called again, because many have expired.
 */
export const SUBSCRIBED: Script = new Script(`
local set, prefix, field = KEYS[1], ARGV[1], ARGV[2]
${SETS}
if prune(set, field) then return false end
extend(set, SET_TTL)
return redis.call('ZRANGE', set, 0, -1)
`);

/**
 * Removes a session that expired from those of its principal. Returns 1 if it was
 * there.
 */
export const UNLIST: Script = new Script(`
local prefix, id, field = ARGV[1], ARGV[2], ARGV[3]
${PRINCIPALS}
if islisted(field, id) then return 0 end
return unlist(field, id)
`);

/**
 * Deletes the metadata of a session. Returns 1 if it began through the guard, and
 * when.
 */
export const DELETE: Script = new Script(`
local key, prefix, id = KEYS[1], ARGV[1], ARGV[2]
${PRINCIPALS}
local principal, startedAt = unpack(redis.call('HMGET', key, 'r', 'w'))
local removed = principal and unlist(principal, id) or 0
for _, field in ipairs(redis.call('HKEYS', key)) do
  local kind = string.sub(field, 1, 2)
  if kind == 'u:' then redis.call('ZREM', prefix .. field, id) end
  if #field > 1 or string.find('${METADATA_LETTERS}', field, 1, true) then
    redis.call('HDEL', key, field)
  end
end
redis.call('ZREM', prefix .. 'known', id)
return { removed, startedAt or '' }
`);

/** Returns all fields of sessions, a list for each, and the time. */
export const RECALL: Script = new Script(`
local prefix = ARGV[1]
local sessions = {}
for at = 2, #ARGV do
  sessions[at - 1] = redis.call('HGETALL', prefix .. ARGV[at])
end
sessions[#ARGV] = text(now)
return sessions
`);

/**
 * Returns for how many milliseconds sessions are kept; -2 if they don't exist.
 */
export const LEFT: Script = new Script(`
local prefix = ARGV[1]
local left = {}
for at = 2, #ARGV do
  local key = prefix .. ARGV[at]
  left[at - 1] = redis.call('PTTL', key)
end
return left
`);

/**
 * Restores fields that Redis may have lost, each with the time when it was last
 * confirmed. Fields that were confirmed later, or written since, win.
 */
export const RESTORE: Script = new Script(`
local key, prefix, id = KEYS[1], ARGV[1], ARGV[2]
local ttl, max = tonumber(ARGV[3]), tonumber(ARGV[4])
${SETS}${PRINCIPALS}${KEEP_PRINCIPAL}
if max > 0 then put(prefix .. 'known', id, ttl) end
for at = 5, #ARGV, 3 do
  local field, value, since = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local mark = '~' .. field
  local known = redis.call('HMGET', key, field, mark)
  if not known[1] or known[2] and tonumber(known[2]) < tonumber(since) then
    redis.call('HSET', key, field, value, mark, since)
    if string.sub(field, 1, 2) == 'u:' then put(prefix .. field, id, ttl) end
  end
end
local principal = redis.call('HGET', key, 'r')
if principal then
  list(principal, id)
  keepprincipal(principal)
end
extend(key, ttl)
return 1
`);
