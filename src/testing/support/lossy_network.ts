import type { MessageBus } from "../../cluster/messaging/message_bus.ts";
import { utf8Length } from "../../cluster/messaging/fragments/utf8.ts";
import { formatValue } from "../../format_value.ts";
import { InvalidArgumentError } from "../../errors.ts";
import { objectOption } from "../../contracts/resolve_options.ts";
import { LossyBus } from "./lossy_bus.ts";
import { seededRandom } from "./seeded_random.ts";

/** The conditions of a {@linkcode LossyNetwork}. */
export interface NetworkConditions {
  /**
   * The share of messages that are lost, from 0 to 1. Each receiver's copy is
   * decided separately.
   *
   * @default 0
   */
  readonly dropRate?: number | undefined;
  /**
   * The share of messages that arrive twice, from 0 to 1.
   *
   * @default 0
   */
  readonly duplicateRate?: number | undefined;
  /**
   * How long a message takes, in milliseconds from 0 to 60,000: minimum and
   * maximum. If they differ, messages arrive out of order.
   *
   * @default [0, 0] as soon as possible, in order
   */
  readonly delayMs?: readonly [least: number, most: number] | undefined;
}

/** Options of a {@linkcode LossyNetwork}. */
export interface LossyNetworkOptions extends NetworkConditions {
  /**
   * The seed of the random numbers, an integer: if nodes publish the same in
   * the same order, the same happens again.
   *
   * @default 1
   */
  readonly seed?: number | undefined;
  /**
   * The longest message that the buses carry, in bytes of UTF-8. `publish`
   * throws for a longer one.
   *
   * @default undefined messages of any length
   */
  readonly maxLength?: number | undefined;
  /**
   * Called with every message that arrives, just before its receiver gets it.
   *
   * @default undefined not called
   */
  readonly onDelivery?: ((delivery: Delivery) => void) | undefined;
}

/** A message that arrives. */
export interface Delivery {
  /** The name of the node that published it. */
  readonly from: string;
  /** The name of the node that receives it. */
  readonly to: string;
  /** The message. */
  readonly text: string;
}

/**
 * The counters of a {@linkcode LossyNetwork}, one for each receiver of a
 * message.
 */
export interface LossyNetworkStats {
  /** Messages that were published; one for all counts once. */
  readonly published: number;
  /** The characters of these. */
  readonly characters: number;
  /** Copies that arrived, including duplicates. */
  readonly delivered: number;
  /** Copies that were lost by chance. */
  readonly dropped: number;
  /** Copies that were duplicated. */
  readonly duplicated: number;
  /** Copies that were lost because of a partition or a dead node. */
  readonly cut: number;
}

/** The conditions with their defaults. */
interface Conditions {
  readonly dropRate: number;
  readonly duplicateRate: number;
  readonly delayMs: readonly [least: number, most: number];
}

/**
 * A network within this process that loses, duplicates, delays and reorders
 * messages, can be partitioned, and whose nodes can crash. The seed decides
 * what happens, so that it can be repeated. A message arrives by a timer, never
 * while it is published.
 *
 * @example Show that nodes agree although one in five messages is lost
 * ```ts no-eval
 * import { ClusterSessions } from "@crossmcp/session-manager/cluster";
 * import { LossyNetwork } from "@crossmcp/session-manager/testing";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const network = new LossyNetwork({ seed: 7, dropRate: 0.2, delayMs: [0, 5] });
 * const cluster = { heartbeatMs: 20, requestTimeoutMs: 1_000 };
 * const here = new ClusterSessions(network.bus(), { cluster });
 * const there = new ClusterSessions(network.bus(), { cluster });
 * await Promise.all([here.ready, there.ready]);
 * await here.info.setLogLevel("session-1", "warning");
 * deepStrictEqual(await there.info.getLogLevel("session-1"), "warning");
 * await Promise.all([here.close(), there.close()]);
 * ```
 */
export class LossyNetwork {
  readonly #random: () => number;
  readonly #onDelivery: ((delivery: Delivery) => void) | undefined;
  readonly #maxLength: number | undefined;
  readonly #buses = new Set<LossyBus>();
  readonly #counts = {
    published: 0,
    characters: 0,
    delivered: 0,
    dropped: 0,
    duplicated: 0,
    cut: 0,
  };
  #conditions: Conditions;
  /** The group of each node; nodes without one form another group. */
  #parts: ReadonlyMap<string, number> = new Map();

  /**
   * Creates a network without nodes.
   *
   * @param options Its conditions; by default nothing is lost.
   * @throws {InvalidArgumentError} If an option is invalid.
   */
  constructor(options?: LossyNetworkOptions) {
    const { seed, maxLength, onDelivery } = objectOption("options", options);
    if (seed !== undefined && !Number.isSafeInteger(seed)) {
      throw refusal("seed", "a whole number", seed);
    }
    if (maxLength !== undefined && !(maxLength > 0)) {
      throw refusal("maxLength", "a positive number of bytes", maxLength);
    }
    this.#maxLength = maxLength;
    this.#random = seededRandom(seed ?? 1);
    this.#conditions = resolve(options);
    this.#onDelivery = onDelivery;
  }

  /**
   * Changes the conditions of everything that is published from now on.
   *
   * @param conditions The conditions; missing ones get their defaults.
   * @throws {InvalidArgumentError} If one is invalid. Nothing was changed.
   */
  become(conditions: NetworkConditions): void {
    this.#conditions = resolve(conditions);
  }

  /**
   * Creates the bus of one node.
   *
   * @param cluster The name of its cluster: nodes receive only messages of the
   * same one.
   */
  bus(cluster: string = ""): MessageBus {
    return new LossyBus(cluster, {
      maxLength: this.#maxLength,
      attach: (bus) => void this.#buses.add(bus),
      detach: (bus) => void this.#buses.delete(bus),
      publish: (bus, text, to) => this.#publish(bus, text, to),
    });
  }

  /**
   * Partitions the network: messages between groups are lost, also those in
   * flight, until {@linkcode heal}. Replaces an earlier partition.
   *
   * @param groups The names of the nodes of each group. All others form another
   * group.
   * @throws {InvalidArgumentError} If a node is in two groups.
   */
  partition(groups: readonly (readonly string[])[]): void {
    const parts = new Map<string, number>();
    for (const [part, nodes] of groups.entries()) {
      for (const node of nodes) {
        if (parts.has(node)) {
          throw new InvalidArgumentError(
            "groups",
            `"groups" has the node ${
              formatValue(node)
            } in two parts; a node can ` +
              "be in one only.",
          );
        }
        parts.set(node, part);
      }
    }
    this.#parts = parts;
  }

  /** Ends the partition. */
  heal(): void {
    this.#parts = new Map();
  }

  /**
   * Makes a node crash: it receives nothing any more, and what it publishes is
   * lost. Another node may take its name afterwards.
   *
   * @param node Its name. An unknown name changes nothing.
   */
  stop(node: string): void {
    for (const bus of this.#buses) {
      if (bus.node === node) this.#buses.delete(bus);
    }
  }

  /** The counters. */
  stats(): LossyNetworkStats {
    return { ...this.#counts };
  }

  #publish(from: LossyBus, text: string, to: string | undefined): void {
    if (typeof text !== "string") throw refusal("text", "a string", text);
    if (!this.#buses.has(from)) return;
    const maxLength = this.#maxLength ?? Infinity;
    // A character of UTF-16 has at most three bytes in UTF-8.
    if (text.length * 3 > maxLength && utf8Length(text) > maxLength) {
      throw new RangeError(`The message is longer than ${maxLength} bytes.`);
    }
    this.#counts.published++;
    this.#counts.characters += text.length;
    for (const bus of this.#buses) {
      if (bus === from || bus.cluster !== from.cluster) continue;
      if (to === undefined || bus.node === to) this.#send(from, bus, text);
    }
  }

  /**
   * Draws the same number of random numbers for every message, so that its fate
   * does not affect later ones.
   */
  #send(from: LossyBus, to: LossyBus, text: string): void {
    const { dropRate, duplicateRate } = this.#conditions;
    const isDropped = this.#random() < dropRate;
    const isDuplicated = this.#random() < duplicateRate;
    const delays = [this.#delay(), this.#delay()];
    if (this.#isCut(from, to)) return void this.#counts.cut++;
    if (isDropped) return void this.#counts.dropped++;
    if (isDuplicated) this.#counts.duplicated++;
    for (const delay of isDuplicated ? delays : delays.slice(1)) {
      setTimeout(() => this.#arrive(from, to, text), delay);
    }
  }

  #arrive(from: LossyBus, to: LossyBus, text: string): void {
    if (!this.#buses.has(to) || this.#isCut(from, to)) {
      return void this.#counts.cut++;
    }
    this.#counts.delivered++;
    this.#onDelivery?.({ from: from.node, to: to.node, text });
    to.receive(text);
  }

  #isCut(from: LossyBus, to: LossyBus): boolean {
    return this.#parts.get(from.node) !== this.#parts.get(to.node);
  }

  #delay(): number {
    const [least, most] = this.#conditions.delayMs;
    return least + this.#random() * (most - least);
  }
}

function resolve(conditions: NetworkConditions | undefined): Conditions {
  const { dropRate, duplicateRate, delayMs } = objectOption(
    "options",
    conditions,
  );
  return {
    dropRate: rate("dropRate", dropRate),
    duplicateRate: rate("duplicateRate", duplicateRate),
    delayMs: range("delayMs", delayMs),
  };
}

/** The maximum delay of a message, in milliseconds. */
const MAX_MS = 60_000;

function rate(name: string, value: number | undefined): number {
  if (value === undefined) return 0;
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw refusal(name, "a number from 0 to 1", value);
}

function range(
  name: string,
  value: readonly [least: number, most: number] | undefined,
): readonly [least: number, most: number] {
  if (value === undefined) return [0, 0];
  const [least, most] = Array.isArray(value) ? value : [];
  const isNumber = typeof least === "number" && typeof most === "number";
  if (isNumber && least >= 0 && least <= most && most <= MAX_MS) {
    return [least, most];
  }
  throw refusal(
    name,
    `two numbers of milliseconds from 0 to ${MAX_MS}, the lesser one first`,
    value,
  );
}

function refusal(
  name: string,
  wanted: string,
  value: unknown,
): InvalidArgumentError {
  return new InvalidArgumentError(
    name,
    `"${name}" must be ${wanted}, but got ${formatValue(value)}.`,
  );
}
