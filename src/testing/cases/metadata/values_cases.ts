import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { InfoSessionManager } from "../../../contracts/info_session_manager.ts";
import {
  type ClientCapabilities,
  type ClientInfo,
  LOGGING_LEVELS,
  type LoggingLevel,
} from "../../../protocol/mcp_types.ts";
import {
  assertNotFound,
  assertRejects,
  assertThrowsOrRejects,
} from "../../support/assertions.ts";
import type { InfoCase } from "../../suites/behaviours.ts";

/** What a client says about itself. */
export const infoMetadataCases: readonly InfoCase[] = [
  {
    behaviour: "I1",
    name:
      "client info, capabilities and every log level are returned as they were set",
    run: async ({ create }) => {
      const manager = await create();
      const info = clientInfo();
      const capabilities = clientCapabilities();
      await manager.setClientInfo("a", info);
      await manager.setClientCapabilities("a", capabilities);
      await manager.setClientInfo("b", { name: "other", version: "0" });
      await manager.setClientCapabilities("b", {});
      deepStrictEqual(await manager.getClientInfo("a"), clientInfo());
      deepStrictEqual(
        await manager.getClientCapabilities("a"),
        clientCapabilities(),
      );
      deepStrictEqual(await manager.getClientCapabilities("b"), {});
      strictEqual(LOGGING_LEVELS.length, 8);
      for (const level of LOGGING_LEVELS) {
        await manager.setLogLevel("a", level);
        strictEqual(await manager.getLogLevel("a"), level);
      }
      // A later value replaces the whole earlier one.
      await manager.setClientInfo("a", { name: "renamed", version: "2" });
      deepStrictEqual(await manager.getClientInfo("a"), {
        name: "renamed",
        version: "2",
      });
    },
  },
  {
    behaviour: "I2",
    name: "changing an argument or a result changes nothing that is stored",
    run: async ({ create }) => {
      const manager = await create();
      const info = clientInfo();
      const capabilities = clientCapabilities();
      await manager.setClientInfo("a", info);
      await manager.setClientCapabilities("a", capabilities);
      await manager.addSubscription("a", "file:///a");
      tamper(info);
      tamper(capabilities);
      tamper(await manager.getClientInfo("a"));
      tamper(await manager.getClientCapabilities("a"));
      (await manager.getSubscriptions("file:///a")).push("intruder");
      deepStrictEqual(await manager.getClientInfo("a"), clientInfo());
      deepStrictEqual(
        await manager.getClientCapabilities("a"),
        clientCapabilities(),
      );
      deepStrictEqual(await manager.getSubscriptions("file:///a"), ["a"]);
    },
  },
  {
    behaviour: "I3",
    name: "getters reject with SessionNotFoundError if nothing is stored",
    run: async ({ create }) => {
      const manager = await create();
      await manager.setClientInfo("known", clientInfo());
      for (
        const id of ["unknown", "", "no id\n", "__proto__", "x".repeat(999)]
      ) {
        for (const [getter, get] of getters(manager)) {
          await assertRejects(() => get(id), "SessionNotFoundError", getter);
        }
      }
      // A session with one value has no others.
      await assertRejects(
        () => manager.getLogLevel("known"),
        "SessionNotFoundError",
        "getLogLevel of a session without one",
      );
      deepStrictEqual(await manager.getSubscriptions("file:///unknown"), []);
    },
  },
  {
    behaviour: "I4",
    name: "an unknown log level is refused, and the stored one stays",
    run: async ({ create }) => {
      const manager = await create();
      await manager.setLogLevel("a", "alert");
      for (const level of ["loud", "", "DEBUG", "constructor", null, 7]) {
        await assertThrowsOrRejects(
          () => manager.setLogLevel("a", level as LoggingLevel),
          "InvalidArgumentError",
          `The log level ${JSON.stringify(level)}`,
        );
      }
      strictEqual(await manager.getLogLevel("a"), "alert");
    },
  },
  {
    behaviour: "I9",
    name: "sessions with the names of Object's properties are ordinary",
    run: async ({ create }) => {
      const manager = await create();
      const ids = ["__proto__", "constructor", "toString", "hasOwnProperty"];
      for (const id of ids) {
        for (const [getter, get] of getters(manager)) {
          await assertNotFound(() => get(id), getter);
        }
      }
      for (const id of ids) {
        await manager.setClientInfo(id, { name: id, version: "1" });
        await manager.setLogLevel(id, "info");
        for (const uri of ids) await manager.addSubscription(id, uri);
      }
      for (const id of ids) {
        strictEqual((await manager.getClientInfo(id))?.name, id);
        strictEqual(await manager.getLogLevel(id), "info");
        deepStrictEqual(
          (await manager.getSubscriptions(id)).sort(),
          [...ids].sort(),
        );
      }
      for (const id of ids) await manager.delete(id);
      for (const id of ids) {
        deepStrictEqual(await manager.getSubscriptions(id), []);
        await assertNotFound(
          () => manager.getClientInfo(id),
          "getClientInfo",
        );
      }
    },
  },
  {
    behaviour: "I10",
    name: "100,000 sessions come and go",
    run: async ({ create }) => {
      const manager = await create();
      const count = 100_000;
      const atOnce = 1_000;
      for (let start = 0; start < count; start += atOnce) {
        const ids = Array.from({ length: atOnce }, (_, i) => `s${start + i}`);
        await Promise.all(ids.flatMap((id) => [
          manager.setClientInfo(id, { name: id, version: "1" }),
          manager.setLogLevel(id, "debug"),
          manager.addSubscription(id, "file:///shared"),
          manager.addSubscription(id, `file:///${id}`),
        ]));
        strictEqual(
          (await manager.getSubscriptions("file:///shared")).length,
          atOnce,
        );
        await Promise.all(ids.map((id) => manager.delete(id)));
      }
      deepStrictEqual(await manager.getSubscriptions("file:///shared"), []);
      for (const id of ["s0", `s${count / 2}`, `s${count - 1}`]) {
        deepStrictEqual(await manager.getSubscriptions(`file:///${id}`), []);
        await assertNotFound(
          () => manager.getClientInfo(id),
          "getClientInfo of a session that is gone",
        );
      }
    },
  },
];

/** Every getter of a session, by its name. */
export function getters(
  manager: InfoSessionManager,
): [name: string, get: (id: string) => Promise<unknown>][] {
  return [
    ["getClientInfo", (id) => manager.getClientInfo(id)],
    ["getClientCapabilities", (id) => manager.getClientCapabilities(id)],
    ["getLogLevel", (id) => manager.getLogLevel(id)],
  ];
}

function clientInfo(): ClientInfo {
  return {
    name: "caf\u00e9 \u{1F600}",
    version: "1.0.0",
    title: 'A "quoted" title',
    icons: [{ src: "https://example.com/icon.png", sizes: ["48x48", "any"] }],
  };
}

function clientCapabilities(): ClientCapabilities {
  return {
    sampling: {},
    roots: { listChanged: true },
    elicitation: { form: {}, url: {} },
    experimental: { "x/y": { nested: [1, 2.5, null, true, { deep: "\0" }] } },
    extensions: { "io.example/thing": { mimeTypes: ["text/plain"] } },
    own: "capability",
  };
}

/** Changes everything that can be changed; frozen objects may refuse. */
function tamper(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const inner of Object.values(value)) tamper(inner);
  const object = value as Record<string, unknown>;
  for (const change of [() => object["name"] = "x", () => object["new"] = 1]) {
    try {
      change();
    } catch {
      // Frozen.
    }
  }
}
