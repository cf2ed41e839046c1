import {
  inputRequired,
  type Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { CHOICES, DEFAULTS, inWords } from "./client_request_tools.ts";
import { AUDIO, IMAGE } from "./contents.ts";
import { type JsonObject, object, strings } from "./json_schema.ts";

/** What the tools need from the server around them. */
export interface Surroundings {
  /** Ends the response that the client reads, while a tool is running. */
  readonly earlyEnd: () => void;
  /** Publishes a change to clients of 2026-07-28. */
  readonly publish: (
    kind: "tools_list_changed" | "prompts_list_changed",
  ) => void;
}

type Arguments = Readonly<Record<string, string>>;

interface Tool {
  readonly schema?: JsonObject;
  readonly run: (
    context: ServerContext,
    args: Arguments,
    surroundings: Surroundings,
  ) => unknown;
}

const text = (text: string) => ({ type: "text", text });
const image = { type: "image", data: IMAGE, mimeType: "image/png" };
const resource = (resource: object) => ({ type: "resource", resource });
const result = (...content: object[]) => ({ content });

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function ask(
  { mcpReq }: ServerContext,
  message: string,
  requestedSchema: JsonObject,
): Promise<string> {
  const params = { message, requestedSchema };
  return inWords(await mcpReq.elicitInput(params as never));
}

const TOOLS: Readonly<Record<string, Tool>> = {
  test_simple_text: {
    run: () => result(text("This is a simple text response for testing.")),
  },
  test_image_content: { run: () => result(image) },
  test_audio_content: {
    run: () => result({ type: "audio", data: AUDIO, mimeType: "audio/wav" }),
  },
  test_embedded_resource: {
    run: () =>
      result(resource({
        uri: "test://embedded-resource",
        mimeType: "text/plain",
        text: "This is an embedded resource content.",
      })),
  },
  test_multiple_content_types: {
    run: () =>
      result(
        text("Multiple content types test:"),
        image,
        resource({
          uri: "test://mixed-content-resource",
          mimeType: "application/json",
          text: JSON.stringify({ test: "data", value: 123 }),
        }),
      ),
  },
  test_error_handling: {
    run: () => ({
      isError: true,
      ...result(text("This tool intentionally returns an error for testing")),
    }),
  },
  test_tool_with_logging: {
    run: async ({ mcpReq }) => {
      const steps = ["started", "processing data", "completed"];
      for (const [index, step] of steps.entries()) {
        if (index > 0) await pause(50);
        const verb = index === 1 ? "Tool" : "Tool execution";
        const params = { level: "info", data: `${verb} ${step}` } as const;
        await mcpReq.notify({ method: "notifications/message", params });
      }
      return result(text("Tool with logging executed successfully"));
    },
  },
  test_tool_with_progress: {
    run: async ({ mcpReq }) => {
      const { progressToken = 0 } = mcpReq._meta ?? {};
      for (const progress of [0, 50, 100]) {
        if (progress > 0) await pause(50);
        await mcpReq.notify({
          method: "notifications/progress",
          params: { progressToken, progress, total: 100 },
        });
      }
      return result(text("Tool with progress executed successfully"));
    },
  },
  test_reconnection: {
    run: async (_context, _args, { earlyEnd }) => {
      // The start of the stream must be sent before it ends.
      await pause(50);
      earlyEnd();
      await pause(100);
      return result(text("Reconnection test completed successfully"));
    },
  },
  test_trigger_tool_change: {
    run: (_context, _args, { publish }) => {
      publish("tools_list_changed");
      return result(text("done"));
    },
  },
  test_trigger_prompt_change: {
    run: (_context, _args, { publish }) => {
      publish("prompts_list_changed");
      return result(text("done"));
    },
  },
  test_logging_tool: {
    run: async ({ mcpReq }) => {
      await mcpReq.log("info", "Not for a client without a log level");
      return result(text("done"));
    },
  },
  test_streaming_elicitation: { run: () => result(text("done")) },
  test_missing_capability: {
    run: ({ mcpReq }) => {
      const answer = mcpReq.inputResponses?.["answer"];
      if (answer !== undefined) return result(text("done"));
      const messages = [{
        role: "user" as const,
        content: { type: "text" as const, text: "Hello" },
      }];
      const request = inputRequired.createMessage({ messages, maxTokens: 1 });
      return inputRequired({ inputRequests: { answer: request } });
    },
  },
  test_sampling: {
    schema: strings({ prompt: "The prompt" }).json,
    run: async ({ mcpReq }, { prompt = "" }) => {
      const { content } = await mcpReq.requestSampling({
        messages: [{ role: "user", content: { type: "text", text: prompt } }],
        maxTokens: 100,
      });
      return result(text(`LLM response: ${JSON.stringify(content)}`));
    },
  },
  test_elicitation: {
    schema: strings({ message: "The message" }).json,
    run: async (context, { message = "" }) => {
      const form = { username: "User's response", email: "User's address" };
      const answer = await ask(context, message, strings(form).json);
      return result(text(`User response: ${answer}`));
    },
  },
  test_elicitation_sep1034_defaults: {
    run: async (context) => {
      const answer = await ask(context, "Please correct this", DEFAULTS.json);
      return result(text(`Elicitation completed: ${answer}`));
    },
  },
  test_elicitation_sep1330_enums: {
    run: async (context) => {
      const answer = await ask(context, "Please choose", CHOICES.json);
      return result(text(`Elicitation completed: ${answer}`));
    },
  },
  json_schema_2020_12_tool: {
    schema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: {
        name: { type: "string" },
        address: { $ref: "#/$defs/address" },
      },
      additionalProperties: false,
    },
    run: (_context, args) => result(text(JSON.stringify(args))),
  },
};

/** Adds the tools that the suite calls. */
export function addSdkTools(server: Server, surroundings: Surroundings): void {
  const tools = Object.entries(TOOLS).map(([name, { schema }]) => ({
    name,
    description: "A tool for the conformance suite",
    inputSchema: schema ?? object({}).json,
  }));
  server.setRequestHandler("tools/list", () => ({ tools: tools as never }));
  server.setRequestHandler("tools/call", async ({ params }, context) => {
    const { name, arguments: args = {} } = params;
    const tool = TOOLS[name];
    if (tool === undefined) throw new Error(`There is no tool "${name}".`);
    return await tool.run(context, args as Arguments, surroundings) as never;
  });
}
