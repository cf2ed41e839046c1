import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { Client } from "./client.ts";
import { type Limits, Model } from "./model.ts";
import type { ModelStream } from "./model_stream.ts";
import { IDS, type Operation } from "./operations.ts";
import { ClientMemory } from "./client_memory.ts";
import { EventRecorder } from "./event_recorder.ts";

type Of<Do extends Operation["do"]> = Extract<Operation, { do: Do }>;

const STEP_MS = 100;

/** Runs the same operations on a manager and on the model, and compares them. */
export class Run {
  readonly #time: FakeTime;
  readonly #limits: Limits;
  readonly #manager: InMemoryStreamSessionManager;
  readonly #model: Model;
  readonly #recorder = new EventRecorder();
  readonly #streams: ModelStream[] = [];
  readonly #memory = new ClientMemory();
  readonly #revocations: { real: () => void; model: () => void }[] = [];
  #sent = 0;

  constructor(limits: Limits, time: FakeTime) {
    const { maxBytes, maxAgeMs, periodMs: _, ...options } = limits;
    this.#time = time;
    this.#limits = limits;
    this.#manager = new InMemoryStreamSessionManager({
      ...options,
      backlog: maxBytes === Infinity ? false : { maxBytes, maxAgeMs },
      ...this.#recorder.callbacks,
    });
    this.#model = new Model(limits, this.#manager.latestEventId);
  }

  /** Runs all operations, closes the manager, and checks the rest. */
  async all(operations: readonly Operation[], drainMs: number): Promise<void> {
    for (const operation of operations) await this.#do(operation);
    await this.#compare();
    if (drainMs > 0) await this.#drain(drainMs);
    else this.#close();
    await this.#endTurn();
    await this.#compare();
    assertEquals(this.#manager.stats().attached, 0);
    for (const stream of this.#streams) {
      await stream.client.finish();
      stream.verify(this.#limits.replay !== false);
    }
    assert(!this.#time.next(), "A timer is still pending.");
  }

  async #do(operation: Operation): Promise<void> {
    const attached = "id" in operation
      ? this.#model.attached.get(operation.id)
      : undefined;
    switch (operation.do) {
      case "create":
        return this.#create(operation);
      case "prepare":
        return this.#prepare(operation);
      case "recreate":
        if (attached === undefined) return;
        return this.#manager.create(operation.id, attached.client.controller);
      case "revoke": {
        const [taken] = this.#revocations.splice(operation.which, 1);
        taken?.real();
        return taken?.model();
      }
      case "send":
        return this.#send(operation);
      case "end turn":
        return await this.#endTurn();
      case "settle":
        for (let step = 0; step < 20; step++) await Promise.resolve();
        return;
      case "compare":
        return await this.#compare();
      case "read":
        return await attached?.client.read(operation.chunks);
      case "cancel":
        return this.#cancel(operation);
      case "delete":
        this.#manager.delete(operation.id);
        return this.#deleted(operation.id);
      case "foreign":
        if (attached === undefined || attached.isBroken) return;
        attached.client.enqueueForeign();
        return void (attached.isShared = true);
      case "break":
        if (attached === undefined || attached.isBroken) return;
        attached.isBroken = true;
        return attached.client.controller[operation.how]();
      case "advance":
        await this.#endTurn();
        for (let left = operation.ms; left > 0; left -= STEP_MS) {
          this.#time.tick(Math.min(left, STEP_MS));
          this.#model.age(this.#recorder.take(), this.#time.now);
          await this.#endTurn();
        }
        return;
      case "close":
        return this.#close();
    }
  }

  #create({ id, kind, eager, used }: Of<"create">): void {
    const client: Client = new Client(id, kind, eager, () => {
      if (client.isAborted) client.fault = "was cancelled after its end";
      // As transports do.
      this.#manager.delete(id);
      this.#deleted(id);
    });
    if (used) client.enqueueForeign();
    const older = this.#model.attached.get(id);
    const real = refusal(() => this.#manager.create(id, client.controller));
    const recorded = this.#recorder.take();
    const { now } = this.#time;
    assertEquals(real, this.#model.create(id, client, used, recorded, now));
    if (real !== undefined) return;
    this.#streams.push(this.#model.attached.get(id)!);
    if (older !== undefined) this.#memory.remember(older.client);
    this.#memory.begin(id, this.#manager.latestEventId);
  }

  #prepare({ id, claim, back, hasStart, ...rest }: Of<"prepare">): void {
    const attached = this.#model.attached.get(id);
    if (attached !== undefined) this.#memory.remember(attached.client);
    const future = this.#model.position(1 + back);
    const intent = {
      lastEventId: this.#memory.claim(id, claim, back, future),
      startEventId: hasStart ? this.#memory.startEventId(id) : undefined,
      prime: rest.prime,
      persistent: rest.persistent,
    };
    let revoke: (() => void) | undefined;
    const real = refusal(() =>
      revoke = this.#manager.prepareStream(id, intent)
    );
    const model = this.#model.prepare(id, intent);
    assertEquals(real, typeof model === "string" ? model : undefined);
    if (revoke === undefined || typeof model === "string") return;
    this.#revocations.push({ real: revoke, model });
  }

  #send({ to, texts }: Of<"send">): void {
    // Numbers make every text unique.
    const numbered = texts.map((text) =>
      text.startsWith("data: ")
        ? text.replace(" ", ` ${this.#sent++} `)
        : `${text}${this.#sent++}`
    );
    this.#manager.send(to && [...to], numbered.join(""));
    this.#model.send(to, numbered, this.#recorder.take(), this.#time.now);
  }

  #cancel({ id, back }: Of<"cancel">): void {
    const ofSession = this.#streams.filter(({ client }) =>
      client.session === id
    );
    const stream = ofSession.at(-1 - back);
    if (stream === undefined) return;
    this.#memory.remember(stream.client);
    stream.client.isAborted = stream.fate === "aborted" && !stream.isBroken;
    // What is queued for it is lost.
    stream.isBroken = true;
    if (stream.fate === "ended") stream.fate = "aborted";
    stream.client.cancel();
  }

  /** Deletes a session in the model, after the manager did. */
  #deleted(id: string): void {
    const recorded = this.#recorder.take();
    const stream = this.#model.attached.get(id);
    if (stream !== undefined) this.#memory.remember(stream.client);
    // A client that disconnects is not a failure.
    assertEquals([...recorded.failed], []);
    this.#model.delete(id, this.#time.now);
  }

  #close(): void {
    void this.#manager.close();
    this.#recorder.take();
    this.#model.close(this.#time.now);
  }

  async #drain(drainMs: number): Promise<void> {
    let isDone = false;
    const streams = [...this.#model.attached.values()];
    const slow = new Set<string>();
    void this.#manager.close({ drainMs }).then(() => isDone = true);
    this.#model.close(this.#time.now);
    for (const stream of streams) {
      if (stream.fate !== "ended") continue;
      stream.write("retry: 1000\n\n", this.#time.now);
      // What is not read in time is lost.
      if (stream.client.isEager) continue;
      stream.fate = "aborted";
      slow.add(stream.client.session);
    }
    const last = this.#time.now + drainMs;
    while (!isDone && this.#time.now < last) {
      this.#time.tick(10);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    assert(isDone, "The drain took too long.");
    // A drain also evicts readers that were too slow before.
    for (const [id, reason] of this.#recorder.take().evicted) {
      assertEquals([reason, slow.has(id)], ["age", true]);
      this.#model.evicted.age++;
    }
  }

  async #endTurn(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#model.endTurn(this.#recorder.take(), this.#time.now);
  }

  /** Compares all that is observable. */
  async #compare(): Promise<void> {
    for (const id of [...IDS, "nobody"]) {
      assertEquals(await this.#manager.has(id), this.#model.has(id), id);
    }
    assertEquals(this.#manager.latestEventId, this.#model.position());
    const { delivered, queuedBytes, ...stats } = this.#manager.stats();
    const { attached, evicted, replayed, resets } = this.#model;
    assertEquals(stats, { attached: attached.size, evicted, replayed, resets });
    const [min, max] = this.#model.delivered;
    assert(delivered >= min && delivered <= max, `delivered: ${delivered}`);
    const streams = [...attached.values()];
    if (!streams.every(({ isKnown }) => isKnown)) return;
    assertEquals(
      queuedBytes,
      streams.reduce((sum, { unread, queued }) => sum + unread + queued, 0),
    );
  }
}

/** Returns the name of the error, if there is one. */
function refusal(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as Error).name;
  }
}
