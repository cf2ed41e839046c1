import { formatValue } from "../../format_value.ts";
import { InvalidArgumentError } from "../../errors.ts";

/**
 * The format of the keys, of their values and of the messages between nodes.
 * Raise it with every change that nodes of an earlier release cannot read. All
 * names contain it, so that nodes of two formats never see each other's data.
 */
export const FORMAT = 1;

/** Characters without a meaning in key patterns, hash tags and scripts. */
const PREFIX = /^[A-Za-z0-9_.:@/-]{1,128}$/;

/**
 * The names of all keys and channels. Parts that others choose (IDs, URIs, node
 * names) always come last, so that they cannot be mistaken for anything else.
 *
 * All names have the prefix as their hash tag: in a Redis Cluster they are in
 * one slot, where scripts can use them together. The format of what is stored
 * follows it.
 */
export class RedisKeys {
  /** The prefix that the user has chosen. */
  readonly userPrefix: string;
  /** The prefix of all names, except for that of the format. */
  readonly prefix: string;
  /** The format that the nodes use. Its name is the same in every format. */
  readonly format: string;
  /** The name that the state of the log had before there were formats. */
  readonly unversionedLog: string;
  /** The state of the log. Scripts with many keys name this one. */
  readonly logState: string;
  /** The events. */
  readonly events: string;
  readonly #channels: string;

  /**
   * @param component What the channels are for, if not for all three managers.
   * @param prefix The user's prefix.
   * @throws {InvalidArgumentError} If the prefix is invalid.
   */
  constructor(component: string, prefix: unknown = "mcp") {
    if (typeof prefix !== "string" || !PREFIX.test(prefix)) {
      throw new InvalidArgumentError(
        "prefix",
        '"prefix" must be 1 to 128 letters, digits or characters of ' +
          `"_.:@/-", not ${formatValue(prefix)}.`,
      );
    }
    this.userPrefix = prefix;
    this.format = `{${prefix}}:format`;
    this.unversionedLog = `{${prefix}}:log`;
    this.prefix = `{${prefix}}:${FORMAT}:`;
    this.logState = `${this.prefix}log`;
    this.events = `${this.prefix}events`;
    this.#channels = `${this.prefix}${component}:`;
  }

  /** The prefix of all session keys. */
  get sessions(): string {
    return `${this.prefix}s:`;
  }

  /** The prefix of all resource keys. */
  get resources(): string {
    return `${this.prefix}u:`;
  }

  /** The prefix of all node keys. */
  get nodes(): string {
    return `${this.prefix}n:`;
  }

  /** The prefix of the keys of calls. */
  get calls(): string {
    return `${this.prefix}c:`;
  }

  /** The channel of all nodes. */
  get broadcastChannel(): string {
    return `${this.#channels}all`;
  }

  /** The prefix of the channels of single nodes. */
  get nodeChannelPrefix(): string {
    return `${this.#channels}to:`;
  }

  /** Returns the channel of a node; that of all nodes without a name. */
  channelOf(node: string | undefined): string {
    return node === undefined
      ? this.broadcastChannel
      : this.nodeChannelPrefix + node;
  }
}
