import { Script } from "./script.ts";

// A session is a hash. Of its home it has: h, the incarnation and name of the node;
// i, when that claimed it, in microseconds; p, if its stream has ended for now.

/** Makes a node the home of a session. Answers when, and the home before. */
export const CLAIM: Script = new Script(`
local home, ttl = ARGV[1], ARGV[2]
local known = redis.call('HMGET', KEYS[1], 'h', 'i', 'q')
local at = text(math.max(now, (tonumber(known[2]) or 0) + 1))
redis.call('HSET', KEYS[1], 'h', home, 'i', at)
redis.call('HDEL', KEYS[1], 'p')
-- What was sent to it since it was given up, nobody has kept.
if known[3] then redis.call('HSET', KEYS[1], 'q', text(now)) end
redis.call('PEXPIRE', KEYS[1], ttl)
return { at, known[1] or '' }
`);

/** Answers the home of a session, and whether its stream has ended. */
export const FIND: Script = new Script(`
local known = redis.call('HMGET', KEYS[1], 'h', 'p')
return { known[1] or '', known[2] and '1' or '' }
`);

/** Answers the homes of sessions, in their order. */
export const LOCATE: Script = new Script(`
local prefix = ARGV[1]
local homes = {}
for at = 2, #ARGV do
  homes[at - 1] = redis.call('HGET', prefix .. ARGV[at], 'h') or ''
end
return homes
`);

/** Notes what became of sessions: that they are parked (p), left (r) or given up (g). */
export const LEAVE: Script = new Script(`
local prefix, home = ARGV[1], ARGV[2]
for at = 3, #ARGV, 3 do
  local key = prefix .. ARGV[at + 1]
  local known = redis.call('HMGET', key, 'h', 'i')
  if known[1] == home and known[2] == ARGV[at + 2] then
    if ARGV[at] == 'p' then redis.call('HSET', key, 'p', '1')
    else
      redis.call('HDEL', key, 'h', 'i', 'p')
      if ARGV[at] == 'g' then redis.call('HSET', key, 'q', text(now)) end
    end
  end
end
`);

/**
 * Keeps the sessions of a node, and notes those again that are not known. Answers
 * those that have a newer home, and since when.
 */
export const KEEP: Script = new Script(`
local prefix, home, ttl = ARGV[1], ARGV[2], ARGV[3]
local lost = {}
for at = 4, #ARGV, 3 do
  local id, since = ARGV[at], ARGV[at + 1]
  local key = prefix .. id
  local known = redis.call('HMGET', key, 'h', 'i')
  if known[1] and known[1] ~= home and tonumber(known[2]) > tonumber(since) then
    lost[#lost + 1] = id
    lost[#lost + 1] = known[2]
  else
    if known[1] ~= home or known[2] ~= since then
      redis.call('HSET', key, 'h', home, 'i', since)
      if ARGV[at + 2] == 'p' then redis.call('HSET', key, 'p', '1')
      else redis.call('HDEL', key, 'p') end
    end
    redis.call('PEXPIRE', key, ttl)
  end
end
return lost
`);
