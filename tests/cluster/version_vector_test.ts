import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { VersionVector } from "../../src/cluster/delivery/version_vector.ts";

const MAX_SESSIONS = 100_000;
const MAX_NODES = 10_000;

describe("VersionVector", () => {
  it("remembers where the 100,000 latest sessions arrived", () => {
    const vector = new VersionVector();
    vector.recordArrival("first", "theirs", "ours", {});
    vector.recordArrival("second", "theirs", "ours", {});
    for (let at = 2; at < MAX_SESSIONS; at++) {
      vector.recordArrival(`${at}`, "theirs", "ours", {});
    }
    assertEquals(vector.translate("first", "theirs"), "ours");
    vector.recordArrival("first", "theirs", "ours again", {});
    vector.recordArrival("last", "theirs", "ours", {});
    assertEquals(
      ["first", "second", "2", "last"].map((id) =>
        vector.translate(id, "theirs")
      ),
      ["ours again", "theirs", "ours", "ours"],
    );
  });

  it("translates only the event ID that a session arrived with", () => {
    const vector = new VersionVector();
    vector.recordArrival("a", "theirs", "ours", {});
    assertEquals(vector.translate("a", "another"), "another");
    assertEquals(vector.translate("b", "theirs"), "theirs");
    vector.forgetArrival("a");
    assertEquals(vector.translate("a", "theirs"), "theirs");
  });

  it("knows what a session has brought along that did not arrive here", () => {
    const vector = new VersionVector();
    vector.observe({ node: "n0", seq: 5 });
    vector.recordArrival("a", "theirs", "ours", { n0: 4, n1: 7, n2: 1 });
    vector.observe({ node: "n2", seq: 3 });
    assertEquals(vector.snapshot("a"), { n0: 5, n1: 7, n2: 3 });
    assertEquals(vector.snapshot("b"), { n0: 5, n2: 3 });
    vector.forgetArrival("a");
    assertEquals(vector.snapshot("a"), { n0: 5, n2: 3 });
  });

  it("remembers where the 100,000 latest sessions left", () => {
    const vector = new VersionVector();
    vector.recordDeparture("first", 1);
    vector.recordDeparture("second", 2);
    for (let at = 2; at < MAX_SESSIONS; at++) {
      vector.recordDeparture(`${at}`, 3);
    }
    assertEquals(vector.departedAt("first"), 1);
    vector.recordDeparture("first", 4);
    vector.recordDeparture("last", 5);
    assertEquals(
      ["first", "second", "2", "last"].map((id) => vector.departedAt(id)),
      [4, 0, 3, 5],
    );
  });

  it("remembers the 10,000 nodes that sent last", () => {
    const vector = new VersionVector();
    vector.observe({ node: "first", seq: 1 });
    vector.observe({ node: "second", seq: 1 });
    for (let at = 2; at < MAX_NODES; at++) {
      vector.observe({ node: `${at}`, seq: 1 });
    }
    assertEquals(Object.keys(vector.snapshot()).length, MAX_NODES);
    vector.observe({ node: "first", seq: 2 });
    vector.observe({ node: "last", seq: 1 });
    const { first, second, last, ...others } = vector.snapshot();
    assertEquals([first, second, last], [2, undefined, 1]);
    assertEquals(Object.keys(others).length, MAX_NODES - 2);
  });

  it("keeps the highest sequence number of a node", () => {
    const vector = new VersionVector();
    for (const seq of [1, 3, 2]) vector.observe({ node: "a", seq });
    assertEquals(vector.snapshot(), { a: 3 });
  });

  it("knows which trimmed broadcasts another node lacks", () => {
    const vector = new VersionVector();
    vector.trim({ node: "a", seq: 3 });
    assertEquals(
      [2, 3, 4].map((a) => vector.hasGap({ a })),
      [true, false, false],
    );
    assertEquals(vector.hasGap({ b: 0 }), false);
  });

  it("knows which node has received more", () => {
    const vector = new VersionVector();
    vector.observe({ node: "a", seq: 3 });
    assertEquals(
      [3, 4].map((a) => vector.isBehind(["a", "b"], { a })),
      [false, true],
    );
    assertEquals(vector.isBehind(["b"], { a: 4 }), false);
    assertEquals(
      [3, 4].map((seq) => vector.isAfter({ node: "a", seq }, { a: 3 })),
      [false, true],
    );
    assertEquals(vector.isAfter({ node: "b", seq: 1 }, { a: 3 }), true);
  });
});
