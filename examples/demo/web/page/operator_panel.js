import { setText } from "./format.js";
import { operate } from "./samples.js";

const find = (id) => document.getElementById(id);

/** The buttons that send to clients, stall a reader, and pause the clients. */
export function startOperatorPanel(client, samples) {
  const result = find("result");
  let isRunning = true;

  on("send-all", async () => {
    const text = "Hello to everyone";
    const { sender } = await operate("send", { text });
    setText(result, `Sent to all clients by ${sender ?? "no node"}.`);
  });
  on("send-one", async () => {
    const text = "Hello to this page only";
    const { session } = client;
    const { sender } = await operate("send", { text, session });
    setText(result, `Sent to this page’s session by ${sender ?? "no node"}.`);
  });
  on("stall", async () => {
    const { session } = await operate("stall");
    const text = session === undefined
      ? "No client is connected."
      : `Session ${session.slice(0, 8)}… has stopped reading. Its stream is ` +
        "evicted when 1 MiB is unread.";
    setText(result, text);
  });
  on("pause", async () => {
    await operate("crowd", { isRunning: !isRunning });
  });
  samples.addEventListener("sample", () => {
    isRunning = samples.latest.clients.isRunning;
    setText(find("pause"), isRunning ? "Pause clients" : "Resume clients");
    find("pause").setAttribute("aria-pressed", String(!isRunning));
  });

  function on(id, action) {
    const button = find(id);
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await action();
      } catch (error) {
        setText(result, `Failed: ${error.message}`);
      } finally {
        button.disabled = false;
      }
    });
  }
}
