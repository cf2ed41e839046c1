import { InMemoryStreamSessionManager } from "@crossmcp/session-manager";
import { assert, assertEquals } from "@std/assert";
import type { FakeTime } from "@std/testing/time";
import { Client } from "./client.ts";
import { type Limits, Model } from "./model.ts";
import type { ModelStream } from "./model_stream.ts";
import { IDS, type Operation } from "./operations.ts";
import { Past } from "./past.ts";
import { Listener } from "./told.ts";

type Of<Do extends Operation["do"]> = Extract<Operation, { do: Do }>;

const STEP_MS = 100;

/** Does the same to a manager and to the model, and compares. */
export class Run {
  readonly #time: FakeTime;
  readonly #limits: Limits;
  readonly #manager: InMemoryStreamSessionManager;
  readonly #model: Model;
  readonly #listener = new Listener();
  readonly #streams: ModelStream[] = [];
  readonly #past = new Past();
  readonly #takeBacks: { real: () => void; model: () => void }[] = [];
  #sent = 0;

  constructor(limits: Limits, time: FakeTime) {
    const { maxBytes, maxAgeMs, periodMs: _, ...options } = limits;
    this.#time = time;
    this.#limits = limits;
    this.#manager = new InMemoryStreamSessionManager({
      ...options,
      backlog: maxBytes === Infinity ? false : { maxBytes, maxAgeMs },
      ...this.#listener.callbacks,
    });
    this.#model = new Model(limits, this.#manager.latestEventId);
  }

  /** Does everything, closes, and looks at what is left. */
  async all(operations: readonly Operation[], drainMs: number): Promise<void> {
    for (const operation of operations) await this.#do(operation);
    await this.#look();
    if (drainMs > 0) await this.#drain(drainMs);
    else this.#close();
    await this.#endTurn();
    await this.#look();
    assertEquals(this.#manager.stats().attached, 0);
    for (const stream of this.#streams) {
      await stream.client.finish();
      stream.verify(this.#limits.replay !== false);
    }
    assert(!this.#time.next(), "A timer still runs.");
  }

  async #do(operation: Operation): Promise<void> {
    const attached = "id" in operation
      ? this.#model.attached.get(operation.id)
      : undefined;
    switch (operation.do) {
      case "create":
        return this.#create(operation);
      case "expect":
        return this.#expect(operation);
      case "create again":
        if (attached === undefined) return;
        return this.#manager.create(operation.id, attached.client.controller);
      case "take back": {
        const [taken] = this.#takeBacks.splice(operation.which, 1);
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
      case "look":
        return await this.#look();
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
        return void (attached.isVague = true);
      case "break":
        if (attached === undefined || attached.isBroken) return;
        attached.isBroken = true;
        return attached.client.controller[operation.how]();
      case "advance":
        await this.#endTurn();
        for (let left = operation.ms; left > 0; left -= STEP_MS) {
          this.#time.tick(Math.min(left, STEP_MS));
          this.#model.age(this.#listener.told(), this.#time.now);
          await this.#endTurn();
        }
        return;
      case "close":
        return this.#close();
    }
  }

  #create({ id, kind, eager, used }: Of<"create">): void {
    const client: Client = new Client(id, kind, eager, () => {
      if (client.isGone) client.complaint = "was cancelled after its end";
      // As transports do it.
      this.#manager.delete(id);
      this.#deleted(id);
    });
    if (used) client.enqueueForeign();
    const older = this.#model.attached.get(id);
    const real = refusal(() => this.#manager.create(id, client.controller));
    const told = this.#listener.told();
    const { now } = this.#time;
    assertEquals(real, this.#model.create(id, client, used, told, now));
    if (real !== undefined) return;
    this.#streams.push(this.#model.attached.get(id)!);
    if (older !== undefined) this.#past.remember(older.client);
    this.#past.begin(id, this.#manager.latestEventId);
  }

  #expect({ id, claim, back, since, ...rest }: Of<"expect">): void {
    const attached = this.#model.attached.get(id);
    if (attached !== undefined) this.#past.remember(attached.client);
    const future = this.#model.position(1 + back);
    const said = {
      lastEventId: this.#past.claim(id, claim, back, future),
      startEventId: since ? this.#past.began(id) : undefined,
      prime: rest.prime,
      persistent: rest.stays,
    };
    let takeBack: (() => void) | undefined;
    const real = refusal(() =>
      takeBack = this.#manager.prepareStream(id, said)
    );
    const model = this.#model.expect(id, said);
    assertEquals(real, typeof model === "string" ? model : undefined);
    if (takeBack === undefined || typeof model === "string") return;
    this.#takeBacks.push({ real: takeBack, model });
  }

  #send({ to, texts }: Of<"send">): void {
    // Numbers tell apart what would look the same.
    const numbered = texts.map((text) =>
      text.startsWith("data: ")
        ? text.replace(" ", ` ${this.#sent++} `)
        : `${text}${this.#sent++}`
    );
    this.#manager.send(to && [...to], numbered.join(""));
    this.#model.send(to, numbered, this.#listener.told(), this.#time.now);
  }

  #cancel({ id, back }: Of<"cancel">): void {
    const ofSession = this.#streams.filter(({ client }) =>
      client.session === id
    );
    const stream = ofSession.at(-1 - back);
    if (stream === undefined) return;
    this.#past.remember(stream.client);
    stream.client.isGone = stream.fate === "broken off" && !stream.isBroken;
    // Whatever waits for it is for nobody now.
    stream.isBroken = true;
    if (stream.fate === "ended") stream.fate = "broken off";
    stream.client.cancel();
  }

  /** The manager was told to delete a session, directly or by a cancel. */
  #deleted(id: string): void {
    const told = this.#listener.told();
    const stream = this.#model.attached.get(id);
    if (stream !== undefined) this.#past.remember(stream.client);
    // That a client left is no failure.
    assertEquals([...told.failed], []);
    this.#model.delete(id, this.#time.now);
  }

  #close(): void {
    void this.#manager.close();
    this.#listener.told();
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
      // What is not read within the time is lost.
      if (stream.client.isEager) continue;
      stream.fate = "broken off";
      slow.add(stream.client.session);
    }
    const last = this.#time.now + drainMs;
    while (!isDone && this.#time.now < last) {
      this.#time.tick(10);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    assert(isDone, "The drain took too long.");
    // Those that were too slow before are found during a drain as well.
    for (const [id, reason] of this.#listener.told().evicted) {
      assertEquals([reason, slow.has(id)], ["age", true]);
      this.#model.evicted.age++;
    }
  }

  async #endTurn(): Promise<void> {
    for (let turn = 0; turn < 2; turn++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#model.endTurn(this.#listener.told(), this.#time.now);
  }

  /** Compares what can be asked. */
  async #look(): Promise<void> {
    for (const id of [...IDS, "nobody"]) {
      assertEquals(await this.#manager.has(id), this.#model.has(id), id);
    }
    assertEquals(this.#manager.latestEventId, this.#model.position());
    const { delivered, queuedBytes, ...stats } = this.#manager.stats();
    const { attached, evicted, replayed, resets } = this.#model;
    assertEquals(stats, { attached: attached.size, evicted, replayed, resets });
    const [least, most] = this.#model.delivered;
    assert(delivered >= least && delivered <= most, `delivered: ${delivered}`);
    const streams = [...attached.values()];
    if (!streams.every(({ isKnown }) => isKnown)) return;
    assertEquals(
      queuedBytes,
      streams.reduce((sum, { unread, waiting }) => sum + unread + waiting, 0),
    );
  }
}

/** The name of the error, if there is one. */
function refusal(run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return (error as Error).name;
  }
}
