import type { Item, Question } from "./protocol.ts";

/** Sends an item to a node. */
export type Tell = (node: string, item: Item) => void;

/** Answers questions of other nodes. */
export type Answer<Kind extends Question["kind"]> = (
  ask: Extract<Question, { kind: Kind }>,
  from: string,
) => unknown;

interface Asked {
  readonly open: Set<string>;
  readonly answers: Map<string, unknown>;
  readonly resolve: (answers: ReadonlyMap<string, unknown>) => void;
  readonly isEnough: (answer: unknown) => boolean;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** Questions to other nodes, and theirs to this one. */
export class Questions {
  readonly #tell: Tell;
  readonly #report: (error: Error) => void;
  readonly #asked: Map<number, Asked> = new Map();
  readonly #handlers: Map<string, (ask: never, from: string) => unknown> =
    new Map();
  /** Not the same as that of an earlier node of this name. */
  #last = Math.floor(Math.random() * 2 ** 40);

  /**
   * @param tell Sends an item to a node.
   * @param report Told of what an answer failed with.
   */
  constructor(tell: Tell, report: (error: Error) => void) {
    this.#tell = tell;
    this.#report = report;
  }

  /** Answers a kind of questions from now on. */
  handle<Kind extends Question["kind"]>(
    kind: Kind,
    answer: Answer<Kind>,
  ): void {
    this.#handlers.set(kind, answer);
  }

  /**
   * Asks nodes.
   *
   * @param nodes Whom.
   * @param ask What.
   * @param patienceMs How long to wait for answers, in milliseconds.
   * @param isEnough Whether an answer makes the others needless.
   * @returns The answers in time, of those that can answer.
   */
  ask(
    nodes: readonly string[],
    ask: Question,
    patienceMs: number,
    isEnough: (answer: unknown) => boolean = () => false,
  ): Promise<ReadonlyMap<string, unknown>> {
    if (nodes.length === 0) return Promise.resolve(new Map());
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#asked.set(id, {
        open: new Set(nodes),
        answers: new Map(),
        resolve,
        isEnough,
        timer: setTimeout(() => this.#finish(id), patienceMs),
      });
      for (const node of nodes) this.#tell(node, { kind: "question", id, ask });
    });
  }

  /** Answers a question. */
  async answer(from: string, id: number, ask: Question): Promise<void> {
    let answer: unknown;
    try {
      // One of a kind that is unknown here gets no answer other than that.
      answer = await this.#handlers.get(ask.kind)?.(ask as never, from);
    } catch (error) {
      this.#report(error as Error);
    }
    this.#tell(from, { kind: "answer", id, answer });
  }

  /** Takes an answer. */
  answered(from: string, id: number, answer: unknown): void {
    const asked = this.#asked.get(id);
    if (asked === undefined || !asked.open.delete(from)) return;
    if (answer !== undefined) asked.answers.set(from, answer);
    if (asked.open.size === 0 || asked.isEnough(answer)) this.#finish(id);
  }

  /** A node that has left answers no more. */
  left(node: string): void {
    for (const id of [...this.#asked.keys()]) {
      this.answered(node, id, undefined);
    }
  }

  /** Waits for no answer any more. */
  close(): void {
    for (const id of [...this.#asked.keys()]) this.#finish(id);
  }

  #finish(id: number): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    clearTimeout(asked.timer);
    this.#asked.delete(id);
    asked.resolve(asked.answers);
  }
}
