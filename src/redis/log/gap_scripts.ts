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
