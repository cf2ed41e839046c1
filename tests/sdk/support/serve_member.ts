import type { SdkHandlerStats } from "@crossmcp/session-manager/sdk";
import type { ClusteredSessions } from "../../../src/cluster/clustered_sessions.ts";
import { serve } from "../../e2e/support/serve.ts";
import { callerOf } from "./caller.ts";
import { Probe, SDKS } from "./servers.ts";

/** What a test asks of a worker or process. */
export type Command =
  | { readonly kind: "state" }
  | { readonly kind: "release" }
  | { readonly kind: "drain"; readonly ms: number };

/** The state of a worker or process. */
export interface MemberState extends SdkHandlerStats {
  readonly nodes: number;
  readonly open: number;
  readonly waiting: number;
  readonly reported: readonly string[];
}

/** A worker or process that is listening. */
export interface Serving {
  readonly port: number;
  run(command: Command): Promise<MemberState>;
}

/** Serves a server of the official SDK, in a worker or process. */
export async function serveMember(
  sessions: ClusteredSessions,
  sdkName: string,
  reported: readonly string[],
): Promise<Serving> {
  const probe = new Probe();
  const sdk = SDKS.find(({ name }) => name === sdkName)!;
  const handler = sdk.serve(sessions, probe);
  const { url } = await serve((request) =>
    handler.fetch(request, callerOf(request))
  );
  return {
    port: Number(new URL(url).port),
    run: async (command) => {
      if (command.kind === "release") probe.release();
      if (command.kind === "drain") {
        await handler.close({ drainMs: command.ms });
      }
      const { open, waiting } = probe;
      const nodes = sessions.nodes().length;
      return { ...handler.stats(), nodes, open, waiting, reported };
    },
  };
}
