import { formatValue } from "../../runtime/describe.ts";
import { InvalidArgumentError } from "../../errors.ts";

/** Letters that mean nothing in patterns of keys, in hash tags or in scripts. */
const PREFIX = /^[A-Za-z0-9_.:@/-]{1,128}$/;

/**
 * The names of all keys and channels. What others choose (ids, URIs, names of
 * nodes) is always last, so that it cannot be taken for anything else.
 *
 * All of them have the prefix as their hash tag: in a Redis Cluster they are on one
 * shard, where scripts can reach them together.
 */
export class RedisKeys {
  /** What all of them begin with. */
  readonly prefix: string;
  /** What is known of the log; also what scripts name that use many keys. */
  readonly logState: string;
  /** The events. */
  readonly events: string;
  readonly #channels: string;

  /**
   * @param prefix What others do not begin with.
   * @param part What the channels are for, where that is not everything.
   * @throws {InvalidArgumentError} For a prefix that is none.
   */
  constructor(prefix: unknown, part: string) {
    if (typeof prefix !== "string" || !PREFIX.test(prefix)) {
      throw new InvalidArgumentError(
        "prefix",
        '"prefix" has to be 1 to 128 letters, digits or characters of ' +
          `"_.:@/-", not ${formatValue(prefix)}.`,
      );
    }
    this.prefix = `{${prefix}}:`;
    this.logState = `${this.prefix}log`;
    this.events = `${this.prefix}events`;
    this.#channels = `${this.prefix}${part}:`;
  }

  /** What all keys of sessions begin with. */
  get sessions(): string {
    return `${this.prefix}s:`;
  }

  /** What all keys of resources begin with. */
  get resources(): string {
    return `${this.prefix}u:`;
  }

  /** What all keys of nodes begin with. */
  get nodes(): string {
    return `${this.prefix}n:`;
  }

  /** The channel of everyone. */
  get broadcastChannel(): string {
    return `${this.#channels}all`;
  }

  /** What all channels of single nodes begin with. */
  get nodeChannelPrefix(): string {
    return `${this.#channels}to:`;
  }
}
