import { Script } from "../connection/script.ts";
import { KEEP_PRINCIPAL } from "../metadata/principal_scripts.ts";

// A session is a hash. Its fields about the owner are: h, the incarnation and
// name of the node; i, when it claimed the session, in microseconds; p, set if
// the stream has ended for now.

/**
 * Makes a node the owner of a session. Returns the time of the claim, and the
 * previous owner.
 */
export const CLAIM: Script = new Script(`
local owner, ttl = ARGV[1], ARGV[2]
local known = redis.call('HMGET', KEYS[1], 'h', 'i')
local at = text(math.max(now, (tonumber(known[2]) or 0) + 1))
redis.call('HSET', KEYS[1], 'h', owner, 'i', at)
redis.call('HDEL', KEYS[1], 'p')
extend(KEYS[1], ttl)
return { at, known[1] or '' }
`);

/**
 * Returns the owner of a session, whether its stream has ended, and the epoch of
 * the log.
 */
export const FIND: Script = new Script(
  `
local known = redis.call('HMGET', KEYS[1], 'h', 'p')
return { known[1] or '', known[2] and '1' or '',
  redis.call('HGET', ARGV[1], 'epoch') or '' }
`,
  { isReadOnly: true },
);

/** Returns the owners of sessions, in order, and the epoch of the log. */
export const LOCATE: Script = new Script(
  `
local prefix = ARGV[1]
local owners = {}
for at = 2, #ARGV do
  owners[at - 1] = redis.call('HGET', prefix .. ARGV[at], 'h') or ''
end
owners[#ARGV] = redis.call('HGET', KEYS[1], 'epoch') or ''
return owners
`,
  { isReadOnly: true },
);

/**
 * Records that streams have ended (p), or that sessions were released (r). Each
 * has the time of its claim, or "" if Redis was unavailable then.
 */
export const LEAVE: Script = new Script(`
local prefix, owner = ARGV[1], ARGV[2]
for at = 3, #ARGV, 3 do
  local key = prefix .. ARGV[at + 1]
  local known = redis.call('HMGET', key, 'h', 'i')
  local claim = ARGV[at + 2]
  if known[1] == owner and (claim == '' or known[2] == claim) then
    if ARGV[at] == 'p' then redis.call('HSET', key, 'p', '1')
    else redis.call('HDEL', key, 'h', 'i', 'p') end
  end
end
`);

/**
 * Renews the leases of a node's sessions, each with its state:
 *
 *   a  attached: it is restored if Redis has lost it
 *   p  detached: the same
 *   c  detached: it is only checked
 *   A  attached during an outage: it is claimed, unless a newer claim exists
 *   P  detached since then: the same, unless it has another owner
 *
 * Returns the sessions with a newer owner and the time of its claim, or "0" for
 * no owner; and the sessions that were claimed or restored, with the times of the
 * claims and the previous owners.
 */
export const KEEP: Script = new Script(`
local prefix, owner, ttl = ARGV[1], ARGV[2], ARGV[3]
${KEEP_PRINCIPAL}
local lost, claimed, kept = {}, {}, {}
for at = 4, #ARGV, 3 do
  local id, since, state = ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local key = prefix .. 's:' .. id
  local known = redis.call('HMGET', key, 'h', 'i', 'r')
  local isOther = known[1] and known[1] ~= owner
  local isDetached = state == 'p' or state == 'P'
  if isOther and (state == 'P' or tonumber(known[2]) > tonumber(since)) then
    lost[#lost + 1] = id
    lost[#lost + 1] = known[2]
  elseif state == 'c' then
    if not known[1] then
      lost[#lost + 1] = id
      lost[#lost + 1] = '0'
    end
  else
    local isNew = state == 'A' or state == 'P'
    if isNew then
      since = text(math.max(now, (tonumber(known[2]) or 0) + 1))
    end
    if isNew or isOther or not known[1] then
      claimed[#claimed + 1] = id
      claimed[#claimed + 1] = since
      claimed[#claimed + 1] = known[1] or ''
    end
    if known[1] ~= owner or known[2] ~= since then
      redis.call('HSET', key, 'h', owner, 'i', since)
      if isDetached then redis.call('HSET', key, 'p', '1')
      else redis.call('HDEL', key, 'p') end
    end
    if not isDetached or redis.call('PTTL', key) < 0 then extend(key, ttl) end
    if known[3] then kept[known[3]] = true end
  end
end
for principal in pairs(kept) do keepprincipal(principal) end
return { lost, claimed }
`);
