import { Script } from "../connection/script.ts";

// The set "p:" and the field "r" of sessions has the sessions of a principal that
// began through the guard; "principals" has the fields "r" of all of them. Their
// members have no scores, so that they are sorted by name: a page begins after
// the last name of the page before.

/**
 * Adds a session to those of its principal, and removes it. A session that
 * expired stays until it is found: by a page, or by another session of its
 * principal that begins and looks at two. Needs: prefix.
 */
export const PRINCIPALS = `
local SET_TTL = 2592000000
local function unlist(field, id)
  local set = prefix .. 'p:' .. field
  local removed = redis.call('ZREM', set, id)
  if removed == 1 and redis.call('EXISTS', set) == 0 then
    redis.call('ZREM', prefix .. 'principals', field)
  end
  return removed
end
local function islisted(field, id)
  return redis.call('HGET', prefix .. 's:' .. id, 'r') == field
end
local function list(field, id, ttl)
  local set = prefix .. 'p:' .. field
  local added = redis.call('ZADD', set, 0, id)
  if added == 1 then
    redis.call('ZADD', prefix .. 'principals', 0, field)
    for _, other in ipairs(redis.call('ZRANDMEMBER', set, 2)) do
      if not islisted(field, other) then unlist(field, other) end
    end
  end
  extend(set, math.max(ttl, SET_TTL))
  extend(prefix .. 'principals', math.max(ttl, SET_TTL))
end
`;

/**
 * Returns the last name of a page of sessions ("" after the last page), and the
 * sessions that exist.
 */
export const SESSION_PAGE: Script = new Script(`
local prefix, field, after, limit = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
${PRINCIPALS}
local ids = redis.call('ZRANGEBYLEX', prefix .. 'p:' .. field,
  after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, limit)
local page = { #ids == tonumber(limit) and ids[#ids] or '' }
for _, id in ipairs(ids) do
  if islisted(field, id) then page[#page + 1] = id else unlist(field, id) end
end
return page
`);

/** Returns a page of the fields "r" of principals. */
export const PRINCIPAL_PAGE: Script = new Script(`
local prefix, after, limit = ARGV[1], ARGV[2], ARGV[3]
return redis.call('ZRANGEBYLEX', prefix .. 'principals',
  after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, limit)
`);
