import type { LimitError } from "../errors.ts";
import { LruMap } from "../runtime/lru_map.ts";
import { exceedsBytes } from "../runtime/utf8_length.ts";
import { tooLong, type ValueLimits } from "./metadata_values.ts";
import { serialize } from "./serialize.ts";

/** How many sessions are remembered whose values were refused. */
const MAX_REFUSALS = 1_000;

/**
 * What a client says about itself with `initialize`. Transports don't wait until
 * it is stored, so the guard asks whether it was refused.
 */
export class ClientValues {
  readonly #limits: ValueLimits;
  readonly #refusals: LruMap<string, LimitError> = new LruMap(MAX_REFUSALS);

  /** @param limits How long values may be. */
  constructor(limits: ValueLimits) {
    this.#limits = limits;
  }

  /**
   * Serializes a value; `undefined` is returned unchanged.
   *
   * @param id The session ID.
   * @param argument The name of the argument, for the error.
   * @param value The value.
   * @param option The option that limits its length.
   * @throws {LimitError} If it is too long.
   */
  serialize(
    id: string,
    argument: string,
    value: object | undefined,
    option: "maxClientInfoBytes" | "maxCapabilitiesBytes",
  ): string | undefined {
    const text = serialize(argument, value);
    const limit = this.#limits[option];
    if (text === undefined || !exceedsBytes(text, limit)) return text;
    const error = tooLong(`"${argument}"`, option, limit);
    this.#refusals.set(id, error);
    throw error;
  }

  /** Returns why a value of a session was refused lately, once. */
  takeRefusal(id: string): LimitError | undefined {
    const refusal = this.#refusals.get(id);
    this.#refusals.delete(id);
    return refusal;
  }
}
