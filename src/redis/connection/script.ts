/** The beginning of all scripts. Numbers of 16 digits need their own format. */
const COMMON = `
local function text(number) return string.format('%.0f', tonumber(number)) end
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function extend(key, ttl)
  if redis.call('PTTL', key) < tonumber(ttl) then
    redis.call('PEXPIRE', key, text(ttl))
  end
end
`;

interface ScriptOptions {
  readonly isRare?: boolean;
  readonly isReadOnly?: boolean;
}

/** A Lua script that runs atomically in the server. */
export class Script {
  /** All scripts that servers load. */
  static readonly all: Script[] = [];
  /** The source. */
  readonly text: string;
  /** Whether it writes nothing, so that a full server runs it. */
  readonly isReadOnly: boolean;
  /** The SHA-1 digest, once a server has loaded it. */
  sha: string | undefined;

  /**
   * @param text The source, without the part that all scripts share.
   * @param options `isRare`: it is sent in full instead of loaded, and has no
   * shared part. `isReadOnly`: it writes nothing.
   */
  constructor(
    text: string,
    { isRare = false, isReadOnly = false }: ScriptOptions = {},
  ) {
    this.text = isRare ? text : COMMON + text;
    this.isReadOnly = isReadOnly;
    if (!isRare) Script.all.push(this);
  }
}

/**
 * Asks for the run ID of the server, in `server`. Without permission to ask,
 * there is none.
 */
export const RUN_ID = `
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%x+)')
`;
