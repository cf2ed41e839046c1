import type { Audience, Step } from "./audience.ts";
import { OfficialClient } from "./official_client.ts";

/** What ends when it is asked to, with an exit code. */
export interface Stoppable {
  stop(): Promise<number | undefined>;
}

/** What a demo prints, and what went wrong in it. */
export class Report {
  /** What is not as it should be. */
  readonly problems: string[] = [];

  /** Prints a line under a heading. */
  say(what: string, text: string): void {
    console.log(what.padEnd(21) + text);
  }

  /** Prints what the columns of the steps that follow are. */
  startSteps(): void {
    console.log();
    this.#row("notifications", [
      "recipients",
      "expected",
      "received",
      "ms",
      "per second",
    ]);
  }

  /** Runs a step and prints what came of it. */
  async step(name: string, audience: Audience, what: Step): Promise<void> {
    const { recipients, expected, received, ms, wrong, error } = await audience
      .run(what);
    const rate = received / ms * 1_000;
    this.#row(name, [recipients, expected, received, ms, rate].map(count));
    this.expect(error === undefined, `${name}: ${error}`);
    this.expect(wrong === 0, `${name}: wrong at ${count(wrong)} clients`);
  }

  /** Notes a problem when something does not hold. */
  expect(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem);
  }

  /** Stops the server, and looks whether it ended the streams. */
  async shutdown(server: Stoppable, audience: Audience): Promise<void> {
    const { clients } = audience;
    for (const client of clients) client.comesBack = false;
    const code = await server.stop();
    // The SDK of 2025-11-25 does not tell that its stream ended.
    const told = clients.filter((c) => !(c instanceof OfficialClient));
    const ended = await audience.ended(told);
    this.say(
      "shutdown",
      `exit code ${code}, ${count(ended)} of ${count(told.length)} ` +
        "streams ended in order",
    );
    this.expect(code === 0, `the server ended with exit code ${code}`);
    this.expect(ended === told.length, "streams were broken off");
    await Promise.all(clients.map((client) => client.close()));
  }

  #row(name: string, cells: readonly string[]): void {
    this.say(name, cells.map((cell) => cell.padStart(11)).join(""));
  }
}

/** A number as people write it. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}
