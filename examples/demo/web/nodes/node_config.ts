import type { SessionsStats } from "@crossmcp/session-manager";

/** What a node of the page's demo is started with. */
export interface NodeConfig {
  /** Its name, which no other node has. */
  readonly name: string;
  /** The name of the cluster, or the prefix of its keys in Redis. */
  readonly cluster: string;
  /** What the requests for operators must have in their `authorization`. */
  readonly token: string;
  /** The origins of the page, whose requests are allowed. */
  readonly origins: readonly string[];
  /** Where the recent messages are, which stands in for a database. */
  readonly messagesUrl: string;
  /** The address of Redis, if the nodes share their sessions through it. */
  readonly redisUrl?: string | undefined;
}

/** What a node reports about itself. */
export interface NodeReport {
  /** The result of `sessions.stats()`, unchanged. */
  readonly stats: SessionsStats;
  /** How many streams continued after a `Last-Event-ID`. */
  readonly resumed: number;
  /** The sessions whose readers were evicted last. */
  readonly evicted: readonly string[];
}
