/**
 * The server of one contender, in its own process on the runtime under test:
 * `server.ts <contender> <port>`, where `main.ts` listens on the port. It ends
 * with that connection, so that nothing is left if `main.ts` is killed.
 */
import { connect } from "node:net";
import { memory } from "./memory.ts";
import { exit, flags, runtime } from "../runtime.ts";
import { start } from "./contenders.ts";
import { type Command, type Contender, Lines, type Reply } from "./control.ts";
import { Driver } from "./driver.ts";

const [contender, port] = flags as [Contender, string];
const socket = connect(Number(port), "127.0.0.1");
socket.once("error", () => exit(1));
socket.once("close", () => exit(0));

const server = await start(contender);
const driver = new Driver(server);
const control = new Lines<Reply>(socket, async (command: Command) => {
  if (command === "sessions") control.send({ sessions: server.sessions() });
  else if (command === "clock") control.send({ clock: performance.now() });
  else if (command === "memory") control.send({ rss: memory() });
  else if ("received" in command) driver.received(command.received);
  else control.send(await driver.run(command.run));
});
control.send({
  runtime: `${runtime.name} ${runtime.version}`,
  port: server.port,
});
