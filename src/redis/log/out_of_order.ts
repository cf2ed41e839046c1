/**
 * How many messages may wait for earlier ones before they are dropped and read
 * from the log.
 */
const MAX_MESSAGES = 10_000;

/** Messages that arrived before earlier ones did. */
export class OutOfOrderMessages {
  #texts: string[] = [];

  /** Adds a message. The oldest ones are dropped, and read from the log later. */
  add(text: string): void {
    this.#texts.push(text);
    if (this.#texts.length > MAX_MESSAGES) this.#texts.shift();
  }

  /** Removes and returns all messages. */
  take(): string[] {
    const texts = this.#texts;
    this.#texts = [];
    return texts;
  }
}
