import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { capture, DENO } from "../../scripts/lib/command.ts";
import {
  parseTimes,
  readSeconds,
  timed,
} from "../../scripts/lib/processor_time.ts";

describe("parseTimes", () => {
  it("adds up the times of the shell and of its children", () => {
    assertEquals(parseTimes("0m0.25s 0m0.5s\n2m3.000000s 0m1,25s\n"), 125);
  });

  it("rejects other text", () => {
    assertThrows(() => parseTimes("0m1s"), Error, 'got "0m1s"');
  });
});

describe("timed", () => {
  it("measures the processor time of a program, and keeps its exit code and output", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const file = `${folder}/times`;
      const busy = `
        while (performance.now() < 300);
        const sum = (usage) => (usage.user + usage.system) / 1_000_000;
        console.log(sum(process.cpuUsage()));
        Deno.exit(3);`;
      const { code, stdout } = await capture(timed(DENO, file), ["eval", busy]);
      assertEquals(code, 3);
      const seconds = await readSeconds(file);
      // The shell counts in hundredths of a second.
      assert(seconds >= Number(stdout) - 0.02, `${seconds} is below ${stdout}`);
      assert(seconds < Number(stdout) + 1, `${seconds} is above ${stdout}`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});
