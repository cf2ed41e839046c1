/** What the scripts share. Numbers of 16 digits need a format of their own. */
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

/** A script that runs in the server, in one go. */
export class Script {
  /** All there are. */
  static readonly all: Script[] = [];
  /** Its source. */
  readonly text: string;
  /** What servers know it by, once one has it. */
  sha: string | undefined;

  /** @param text Lua, after what all scripts share. */
  constructor(text: string) {
    this.text = COMMON + text;
    Script.all.push(this);
  }
}
