import type { ReplaySettings } from "../../contracts/resolve_options.ts";
import { minEvents } from "../../replay/session_shares.ts";

/**
 * Drops the oldest event of a session that has more than its share of a log that
 * is full. Its place stays, as a low watermark. Events for several sessions stay,
 * too. Needs: events, bytes, weigh, share, maxEvents, maxBytes.
 */
export const SHARE = `
local function dropOwn(id, places, kept)
  if kept <= share then return end
  if redis.call('XLEN', events) < maxEvents and bytes <= maxBytes then return end
  local alone = '[' .. cjson.encode(id) .. ']'
  -- The first place may be that of the event that was dropped before.
  for _, place in ipairs(redis.call('ZRANGE', places, 0, 1)) do
    local event = redis.call('XRANGE', events, place .. '-0', place .. '-0')[1]
    if not event then
      redis.call('ZREM', places, place)
    else
      local fields = event[2]
      if #fields ~= 6 or fields[2] ~= alone then return end
      redis.call('XDEL', events, event[1])
      bytes = bytes - weigh(fields)
      return
    end
  end
end
`;

/** The share of a session as an argument of the script, in events. */
export function shareOf({ maxEvents, maxShare }: ReplaySettings): string {
  const share = Math.ceil(minEvents(maxEvents, maxShare));
  return String(Math.min(share, Number.MAX_SAFE_INTEGER));
}
