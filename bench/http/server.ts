/**
 * The server of one contender, in a process of its own on the runtime under test:
 * `server.ts <contender> <port>`, where `main.ts` listens on that port. It ends
 * when the connection does, so that nothing is left of it if `main.ts` is killed.
 */
import { connect } from "node:net";
import { memory } from "./memory.ts";
import { exit, flags, runtime } from "../runtime.ts";
import { start } from "./contenders.ts";
import { type Answer, type Contender, Lines, type Order } from "./control.ts";
import { Driver } from "./driver.ts";

const [contender, port] = flags as [Contender, string];
const socket = connect(Number(port), "127.0.0.1");
socket.once("error", () => exit(1));
socket.once("close", () => exit(0));

const server = await start(contender);
const driver = new Driver(server);
const control = new Lines<Answer>(socket, async (order: Order) => {
  if (order === "sessions") control.send({ sessions: server.sessions() });
  else if (order === "clock") control.send({ clock: performance.now() });
  else if (order === "memory") control.send({ rss: memory() });
  else if ("received" in order) driver.received(order.received);
  else control.send(await driver.run(order.run));
});
control.send({
  runtime: `${runtime.name} ${runtime.version}`,
  port: server.port,
});
