import { Script } from "../connection/script.ts";

// The set "p:" and the field "r" of sessions has the sessions of a principal that
// began through the guard; "principals" has the fields "r" of all of them. Their
// members have no scores, so that they are sorted by name: a page begins after
// the last name of the page before.

/**
 * Keeps the sets of a principal a day longer than its sessions. Needs: prefix,
 * ttl.
 */
export const KEEP_PRINCIPAL: string = `
local function keepprincipal(field)
  extend(prefix .. 'p:' .. field, tonumber(ttl) + 86400000)
  extend(prefix .. 'principals', tonumber(ttl) + 86400000)
end
`;

/**
 * Adds a session to those of its principal, and removes it. A session that
 * expired stays until it is found: by a page, by a node that has it in its
 * cache, or by another session of its principal that begins and looks at two.
 * Needs: prefix.
 */
export const PRINCIPALS: string = `
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
-- Looks at some sessions of a principal, and adds those that expired to a list.
local function unlistexpired(field, count, expired)
  local set = prefix .. 'p:' .. field
  for _, id in ipairs(redis.call('ZRANDMEMBER', set, count)) do
    if not islisted(field, id) and unlist(field, id) == 1 then
      expired[#expired + 1] = id
    end
  end
end
-- Returns whether a principal has as many sessions as it may have. Looks at some,
-- so that the server is not busy for long, and adds those that expired to a list.
local function hasmaximum(field, most, expired)
  local set = prefix .. 'p:' .. field
  if redis.call('ZCARD', set) < most then return false end
  unlistexpired(field, 64, expired)
  return redis.call('ZCARD', set) >= most
end
local function list(field, id)
  redis.call('ZADD', prefix .. 'p:' .. field, 0, id)
  redis.call('ZADD', prefix .. 'principals', 0, field)
end
-- Looks at two sessions of a principal, and adds those that expired to a list;
-- and at two principals.
local function prunesome(field, expired)
  unlistexpired(field, 2, expired)
  local principals = prefix .. 'principals'
  for _, other in ipairs(redis.call('ZRANDMEMBER', principals, 2)) do
    if redis.call('EXISTS', prefix .. 'p:' .. other) == 0 then
      redis.call('ZREM', principals, other)
    end
  end
end
`;

/**
 * Returns the last name of a page of sessions ("" after the last page), how many
 * of them exist, these, and those that expired.
 */
export const SESSION_PAGE: Script = new Script(`
local prefix, field, after, limit = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
${PRINCIPALS}
local ids = redis.call('ZRANGEBYLEX', prefix .. 'p:' .. field,
  after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, limit)
local page = { #ids == tonumber(limit) and ids[#ids] or '', '0' }
local expired = {}
for _, id in ipairs(ids) do
  if islisted(field, id) then page[#page + 1] = id
  elseif unlist(field, id) == 1 then expired[#expired + 1] = id end
end
page[2] = text(#page - 2)
for _, id in ipairs(expired) do page[#page + 1] = id end
return page
`);

/**
 * Returns for each session its fields "r", "c" and "w" and how long it is kept, in
 * milliseconds.
 */
export const DESCRIBE: Script = new Script(`
local sessions = {}
for at = 2, #ARGV do
  local key = ARGV[1] .. ARGV[at]
  local fields = redis.call('HMGET', key, 'r', 'c', 'w')
  sessions[at - 1] = { fields[1] or '', fields[2] or '', fields[3] or '0',
    text(redis.call('PTTL', key)) }
end
return sessions
`);

/** Returns a page of the fields "r" of principals. */
export const PRINCIPAL_PAGE: Script = new Script(`
local prefix, after, limit = ARGV[1], ARGV[2], ARGV[3]
return redis.call('ZRANGEBYLEX', prefix .. 'principals',
  after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, limit)
`);
