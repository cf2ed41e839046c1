import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import type { SessionsCase } from "../../suites/behaviours.ts";
import { frame, TestClient } from "../../support/test_client.ts";

const MAX_EVENTS = 400;
const SHARE = 100;

/** How much of the replay log one session may take. */
export const sessionsShareCases: readonly SessionsCase[] = [
  {
    behaviour: "L8",
    name: "a busy session does not push out the events of others",
    run: async ({ create, within }) => {
      const sessions = await create({
        streams: {
          replay: { maxEvents: MAX_EVENTS, maxShare: SHARE / MAX_EVENTS },
        },
      });
      const { streams } = sessions;
      const quiet = await TestClient.begin(sessions);
      const busy = await TestClient.begin(sessions);
      const quietEvents = await within(quiet.listen(), "a stream");
      const busyEvents = await within(busy.listen(), "a stream");
      const send = (to: string[] | undefined, text: string) =>
        within(streams.send(to, frame(text)), "a send");
      await send(undefined, "first");
      const [seen] = await within(quietEvents.take(), "the first event");
      const [start] = await within(busyEvents.take(), "the first event");
      await quietEvents.cancel();
      // Just below its share, the busy session loses nothing.
      await send([quiet.id], "for quiet");
      let sent = 0;
      const sendBusy = async (count: number) => {
        for (const end = sent + count; sent < end;) {
          await send([busy.id], `${++sent}`);
        }
      };
      await sendBusy(SHARE - 1);
      const resume = async (
        client: TestClient,
        lastEventId: string,
        count: number,
      ) => {
        const events = await within(client.listen(lastEventId), "a stream");
        const taken = await within(events.take(count), "the missed events");
        await events.cancel();
        return taken;
      };
      const textsOf = (events: readonly { data: string }[]) =>
        events.map(({ data }) => data);
      const all = await resume(busy, start!.lastEventId, sent);
      deepStrictEqual(textsOf(all).slice(-2), [`${sent - 1}`, `${sent}`]);
      // Far above the whole log, the events of others are still there.
      await sendBusy(3 * MAX_EVENTS);
      await send(undefined, "last");
      const missed = await resume(quiet, seen!.lastEventId, 2);
      deepStrictEqual(textsOf(missed), ["for quiet", "last"]);
      // So are the newest ones of the busy session itself, and it gets a reset
      // for the others.
      const middle = all.at(-1)!.lastEventId;
      const [reset] = await resume(busy, middle, 1);
      strictEqual(reset!.type, "reset", "There is a gap without a reset");
      const busyAgain = await within(busy.listen(), "a stream");
      await sendBusy(1);
      const [newest] = await within(busyAgain.take(), "the newest event");
      await busyAgain.cancel();
      await sendBusy(SHARE / 2);
      const rest = await resume(busy, newest!.lastEventId, SHARE / 2);
      strictEqual(rest.at(-1)!.data, `${sent}`);
      ok(rest.every(({ type }) => type !== "reset"), "A reset too many");
    },
  },
];
