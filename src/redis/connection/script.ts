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

/** A Lua script that runs atomically in the server. */
export class Script {
  /** All scripts that servers load. */
  static readonly all: Script[] = [];
  /** The source. */
  readonly text: string;
  /** The SHA-1 digest, once a server has loaded it. */
  sha: string | undefined;

  /**
   * @param text The source, without the part that all scripts share.
   * @param options `isRare`: it is sent in full instead of loaded, and has no
   * shared part.
   */
  constructor(text: string, options: { readonly isRare?: boolean } = {}) {
    this.text = options.isRare ? text : COMMON + text;
    if (!options.isRare) Script.all.push(this);
  }
}
