import { Script } from "../connection/script.ts";

// The events of a stream that a transport owns are a Redis stream, "v:" with the
// name of the stream and its session. Its fields are:
//
//   i  the ID of the event in the log of its node
//   g  whether events before it could not be stored; empty if not
//   b  the bytes of all events of the stream up to this one
//   d  the data

/** Appends an event, and drops old ones until the stream is in its limits. */
export const APPEND_EVENT: Script = new Script(`
local key, id, data = ARGV[1] .. 'v:' .. ARGV[2], ARGV[6], ARGV[8]
local maxEvents, maxBytes, maxAge = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
local bytes = (last and tonumber(last[2][6]) or 0) + #data
redis.call('XADD', key, '*', 'i', id, 'g', ARGV[7], 'b', text(bytes), 'd', data)
while true do
  local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
  local before = tonumber(first[2][6]) - #first[2][8]
  local at = tonumber(string.match(first[1], '^%d+')) * 1000
  local fits = redis.call('XLEN', key) <= maxEvents and
    bytes - before <= maxBytes and at > now - maxAge
  if fits or first[2][2] == id then break end
  redis.call('XDEL', key, first[1])
end
redis.call('PEXPIRE', key, text(math.ceil(maxAge / 1000)))
`);

/** Returns the events of a stream: IDs, gaps, and data. */
export const READ_EVENTS: Script = new Script(
  `
local stored = {}
for _, event in ipairs(redis.call('XRANGE', ARGV[1] .. 'v:' .. ARGV[2], '-', '+')) do
  stored[#stored + 1] = event[2][2]
  stored[#stored + 1] = event[2][4]
  stored[#stored + 1] = event[2][8]
end
return stored
`,
  { isReadOnly: true },
);
