/** What a fault does. */
export interface Fault {
  /** Whether the server fails, or the connections of one node. */
  readonly scope: "server" | "node" | "process";
  /** Whether the server may lack something afterwards that it had. */
  readonly losesData: boolean;
  /** Whether the server may have older data then. */
  readonly bringsBack?: boolean;
  /** Whether the nodes begin a new log: nobody can tell what the server lacks. */
  readonly beginsLog?: boolean;
}

/** A fault that a schedule can have. */
export type FaultName =
  /** The server is killed, and comes back with its data, if it keeps any. */
  | "kill"
  /** The server is killed, and comes back without data. */
  | "empty"
  /** The server is killed, and comes back with older data. */
  | "older"
  /** The server stops, with open connections. */
  | "pause"
  /** All data is deleted, and nobody is disconnected. */
  | "flush"
  /** The server has no memory left. */
  | "full"
  /** A replica takes over. */
  | "failover"
  /** The server ends the connections of all nodes. */
  | "terminate"
  /** The connections of a node are closed, and new ones refused. */
  | "cut"
  /** Nothing passes over the connections of a node, which stay open. */
  | "silence"
  /** The connection that receives messages is silent. */
  | "silent subscriber"
  /** The connection that receives messages is closed once. */
  | "reset subscriber"
  /** The connection that sends commands is closed once. */
  | "reset commands"
  /** Everything that passes between a node and the server is late. */
  | "delay"
  /** The process of the nodes does nothing for a while. */
  | "block"
  /** The machine did nothing for a while. No schedule has it: it happens. */
  | "busy";

const server: Fault = { scope: "server", losesData: false };
const node: Fault = { scope: "node", losesData: false };
const restart: Fault = { ...server, beginsLog: true };
const loss: Fault = { ...restart, losesData: true };
const older: Fault = { ...loss, bringsBack: true };

/** All faults. Each store has some of them. */
export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  "kill": restart,
  "empty": loss,
  "older": older,
  "pause": server,
  "flush": loss,
  "full": server,
  "failover": older,
  "terminate": server,
  "cut": node,
  "silence": node,
  "silent subscriber": node,
  "reset subscriber": node,
  "reset commands": node,
  "delay": node,
  "block": { scope: "process", losesData: false },
  "busy": { scope: "process", losesData: false },
};
