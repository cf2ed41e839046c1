import { Script } from "../connection/script.ts";

// The events of an open request are a Redis stream, "r:" with the name of the
// request and its session. The ID of an event is its offset in the log of its
// node. Its fields are:
//
//   p  the offset of the event before it
//   b  the bytes of all events of the request up to this one
//   d  the frame; empty for the end of the response

/** Appends events, and drops old ones until each request is in its limits. */
export const APPEND_REQUEST: Script = new Script(`
local prefix, maxEvents, maxBytes, ttl =
  ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
for at = 5, #ARGV, 5 do
  local key, offset, previous = prefix .. 'r:' .. ARGV[at], ARGV[at + 1], ARGV[at + 2]
  local bytes, frame = tonumber(ARGV[at + 3]), ARGV[at + 4]
  -- The end has the offset of the last event.
  local id = offset .. (frame == '' and '-1' or '-0')
  redis.call('XADD', key, id, 'p', previous, 'b', text(bytes), 'd', frame)
  while true do
    local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
    local before = tonumber(first[2][4]) - #first[2][6]
    local fits = redis.call('XLEN', key) <= maxEvents + 1 and
      bytes - before <= maxBytes
    if fits or string.match(first[1], '^%d+') == offset then break end
    redis.call('XDEL', key, first[1])
  end
  redis.call('PEXPIRE', key, ttl)
end
`);

/** Returns the events of a request: offsets, previous offsets, and frames. */
export const READ_REQUEST: Script = new Script(
  `
local stored = {}
for _, event in ipairs(redis.call('XRANGE', ARGV[1] .. 'r:' .. ARGV[2], '-', '+')) do
  stored[#stored + 1] = string.match(event[1], '^%d+')
  stored[#stored + 1] = event[2][2]
  stored[#stored + 1] = event[2][6]
end
return stored
`,
  { isReadOnly: true },
);
