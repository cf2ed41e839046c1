import type { Audience, Step } from "./audience.ts";
import { OfficialClient } from "./official_client.ts";

/** A process that stops on request, with an exit code. */
export interface Stoppable {
  stop(): Promise<number | undefined>;
}

/** Prints the results of a demo, and collects its problems. */
export class Report {
  /** The problems so far. */
  readonly problems: string[] = [];

  /** Prints a line under a heading. */
  print(what: string, text: string): void {
    console.log(what.padEnd(21) + text);
  }

  /** Prints the column headings of the steps that follow. */
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

  /** Runs a step and prints its result. */
  async step(name: string, audience: Audience, what: Step): Promise<void> {
    const { recipients, expected, received, ms, wrong, error } = await audience
      .run(what);
    const rate = received / ms * 1_000;
    this.#row(name, [recipients, expected, received, ms, rate].map(count));
    this.expect(error === undefined, `${name}: ${error}`);
    this.expect(
      wrong === 0,
      `${name}: ${count(wrong)} clients received something else`,
    );
  }

  /** Adds a problem unless a condition holds. */
  expect(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem);
  }

  /** Stops the server, and checks that it ends the streams. */
  async shutdown(server: Stoppable, audience: Audience): Promise<void> {
    const { clients } = audience;
    for (const client of clients) client.reconnects = false;
    const code = await server.stop();
    // The SDK of 2025-11-25 does not report the end of its stream.
    const notifiable = clients.filter((c) => !(c instanceof OfficialClient));
    const ended = await audience.ended(notifiable);
    this.print(
      "shutdown",
      `exit code ${code}, ${count(ended)} of ${count(notifiable.length)} ` +
        "streams ended cleanly",
    );
    this.expect(code === 0, `the server ended with exit code ${code}`);
    this.expect(
      ended === notifiable.length,
      "some streams broke instead of ending",
    );
    await Promise.all(clients.map((client) => client.close()));
  }

  #row(name: string, cells: readonly string[]): void {
    this.print(name, cells.map((cell) => cell.padStart(11)).join(""));
  }
}

/** Formats a number with thousands separators. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}
