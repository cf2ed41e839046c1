import { ClusterError } from "../../errors.ts";
import { PERMISSIONS } from "./client_errors.ts";
import type { RedisConnection } from "./connection.ts";
import type { RedisKeys } from "./keys.ts";
import { Script } from "./script.ts";

/** Tries the commands of all scripts. Returns the names of those denied. */
const TRY_COMMANDS: Script = new Script(
  `
local key, denied = KEYS[1], {}
local function try(name, reply)
  local message = type(reply) == 'table' and reply.err or ''
  -- In 6.2: "The user executing the script can't run this command".
  if string.find(message, 'NOPERM') or string.find(message, 'ACL failure') or
    string.find(message, 'executing the script') then
    denied[#denied + 1] = name
  end
end
try('time', redis.pcall('TIME'))
try('hset', redis.pcall('HSET', key, 'a', '1'))
try('pexpire', redis.pcall('PEXPIRE', key, '1000'))
try('pttl', redis.pcall('PTTL', key))
try('exists', redis.pcall('EXISTS', key))
try('hget', redis.pcall('HGET', key, 'a'))
try('hgetall', redis.pcall('HGETALL', key))
try('hmget', redis.pcall('HMGET', key, 'a'))
try('hexists', redis.pcall('HEXISTS', key, 'a'))
try('hkeys', redis.pcall('HKEYS', key))
try('hlen', redis.pcall('HLEN', key))
try('hdel', redis.pcall('HDEL', key, 'a'))
try('del', redis.pcall('DEL', key))
try('zadd', redis.pcall('ZADD', key, '1', 'a'))
try('zcard', redis.pcall('ZCARD', key))
try('zcount', redis.pcall('ZCOUNT', key, '1', '2'))
try('zrandmember', redis.pcall('ZRANDMEMBER', key, '1'))
try('zrangebylex', redis.pcall('ZRANGEBYLEX', key, '-', '+'))
try('zrange', redis.pcall('ZRANGE', key, '0', '1'))
try('zrangebyscore', redis.pcall('ZRANGEBYSCORE', key, '1', '2'))
try('zscore', redis.pcall('ZSCORE', key, 'a'))
try('zremrangebyrank', redis.pcall('ZREMRANGEBYRANK', key, '1', '1'))
try('zrem', redis.pcall('ZREM', key, 'a'))
redis.pcall('DEL', key)
try('xadd', redis.pcall('XADD', key, '1-0', 'a', '1'))
try('xlen', redis.pcall('XLEN', key))
try('xrange', redis.pcall('XRANGE', key, '-', '+'))
try('xrevrange', redis.pcall('XREVRANGE', key, '+', '-'))
try('xdel', redis.pcall('XDEL', key, '1-0'))
redis.pcall('DEL', key)
try('publish', redis.pcall('PUBLISH', ARGV[1], ''))
return denied
`,
  { isRare: true },
);

/**
 * Checks the permissions of this node's user before it needs them.
 *
 * @param connection The server.
 * @param keys The names of the keys.
 * @throws {ClusterError} If a command is denied; the error names all of them.
 */
export async function checkPermissions(
  connection: RedisConnection,
  keys: RedisKeys,
): Promise<void> {
  const name = `try:${crypto.randomUUID()}`;
  const denied = await connection.evaluateUnchecked(
    TRY_COMMANDS,
    keys.prefix + name,
    [keys.channelOf(name)],
  ) as string[];
  if (denied.length === 0) return;
  throw new ClusterError(
    `Redis denies ${
      denied.join(", ")
    } to this user, or keys or channels that ` +
      `begin with "{${keys.userPrefix}}:". Allow what ${PERMISSIONS} lists.`,
  );
}
