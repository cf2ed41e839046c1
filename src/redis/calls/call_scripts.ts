import { Script } from "../connection/script.ts";
import { ANNOUNCEMENT } from "./call.ts";

// A call of a notifier is a hash, which expires:
//
//   call    what to do, as JSON
//   by      the node that works on it
//   until   when that node's lease ends, in microseconds
//   result  the result as JSON
//
// The notifier publishes the ID of the call to the node that took the one before,
// so that notifications stay in order, and then to all. One node takes it. If
// that node dies, its lease ends, and another node takes the call.

/** How long a node that works on a call is left alone, in milliseconds. */
export const LEASE_MS = 5_000;

/**
 * Stores a call, unless it is stored, and publishes its ID if it needs a node.
 * Returns its state: "done" with the result and the node, "lost", "busy" or
 * "waiting".
 */
export const CALL: Script = new Script(`
local channel, id, call, ttl, wake = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local known = redis.call('HMGET', KEYS[1], 'call', 'result', 'until',
  'by')
if known[2] then
  redis.call('DEL', KEYS[1])
  return { 'done', known[2], known[4] }
end
if not known[1] then
  if call == '' then return { 'lost' } end
  redis.call('HSET', KEYS[1], 'call', call)
end
extend(KEYS[1], ttl)
if known[3] and tonumber(known[3]) > now then return { 'busy' } end
if wake ~= '' then redis.call('PUBLISH', channel, '${ANNOUNCEMENT}' .. id) end
return { 'waiting' }
`);

/**
 * Gives up a call. Returns "done" with the result, "taken" if a node had begun,
 * or "waiting".
 */
export const WITHDRAW: Script = new Script(`
local known = redis.call('HMGET', KEYS[1], 'result', 'until')
redis.call('DEL', KEYS[1])
if known[1] then return { 'done', known[1] } end
return { known[2] and 'taken' or 'waiting' }
`);

/** Takes a call for a node. Returns it; false if there is nothing to do. */
export const TAKE: Script = new Script(`
local node, lease = ARGV[1], tonumber(ARGV[2])
local known = redis.call('HMGET', KEYS[1], 'call', 'result', 'until')
if not known[1] or known[2] then return false end
if known[3] and tonumber(known[3]) > now then return false end
redis.call('HSET', KEYS[1], 'by', node, 'until', text(now + lease * 1000))
return known[1]
`);

/** Renews the lease of a node. */
export const RENEW: Script = new Script(`
local node, lease = ARGV[1], tonumber(ARGV[2])
if redis.call('HGET', KEYS[1], 'by') ~= node then return 0 end
redis.call('HSET', KEYS[1], 'until', text(now + lease * 1000))
extend(KEYS[1], lease * 2)
return 1
`);

/** Stores the result of a call, unless the notifier has given it up. */
export const FINISH: Script = new Script(`
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'result', ARGV[1])
return 1
`);
