import type { McpServer } from "tmcp";
import { tool } from "tmcp/utils";
import { type JsonSchema, object, strings } from "./json_schema.ts";

/** Adds the tools that send a request to the client: sampling and elicitation. */
export function addClientRequestTools(mcp: McpServer<JsonSchema>): void {
  mcp.tool(
    {
      name: "test_sampling",
      description: "Sends a sampling request to the client",
      schema: strings({ prompt: "The prompt" }),
    },
    async ({ prompt }) => {
      const { content } = await mcp.message({
        messages: [{ role: "user", content: { type: "text", text: prompt } }],
        maxTokens: 100,
      });
      return tool.text(`LLM response: ${JSON.stringify(content)}`);
    },
  );
  mcp.tool(
    {
      name: "test_elicitation",
      description: "Sends an elicitation request to the client",
      schema: strings({ message: "The message" }),
    },
    async ({ message }) => {
      const answer = await mcp.elicitation(
        message,
        strings({ username: "User's response", email: "User's email address" }),
      );
      return tool.text(`User response: ${inWords(answer)}`);
    },
  );
  mcp.tool(
    {
      name: "test_elicitation_sep1034_defaults",
      description: "Sends an elicitation request with defaults",
    },
    async () => {
      const answer = await mcp.elicitation("Please correct this", DEFAULTS);
      return tool.text(`Elicitation completed: ${inWords(answer)}`);
    },
  );
  mcp.tool(
    {
      name: "test_elicitation_sep1330_enums",
      description: "Sends an elicitation request with choices",
    },
    async () => {
      const answer = await mcp.elicitation("Please choose", CHOICES);
      return tool.text(`Elicitation completed: ${inWords(answer)}`);
    },
  );
}

/** Adds the tools that send requests to clients without a session, which retry. */
export function addRetryTools(mcp: McpServer<JsonSchema>): void {
  mcp.tool(
    {
      name: "test_missing_capability",
      description:
        "Sends a sampling request to a client without that capability",
      replayable: true,
    },
    async () => {
      const content = { type: "text", text: "Hello" } as const;
      await mcp.message({
        messages: [{ role: "user", content }],
        maxTokens: 1,
      });
      return tool.text("done");
    },
  );
  mcp.tool(
    {
      name: "test_streaming_elicitation",
      description: "Sends an elicitation request to the client",
      replayable: true,
    },
    async () => {
      await mcp.elicitation("Who are you?", strings({ name: "Yours" }));
      return tool.text("done");
    },
  );
}

/** A form with defaults. */
export const DEFAULTS: JsonSchema = object({
  name: { type: "string", description: "Name", default: "John Doe" },
  age: { type: "integer", description: "Age", default: 30 },
  score: { type: "number", description: "Score", default: 95.5 },
  status: {
    type: "string",
    description: "Status",
    enum: ["active", "inactive", "pending"],
    default: "active",
  },
  verified: { type: "boolean", description: "Verified", default: true },
});

const OPTIONS = ["option1", "option2", "option3"];

/** A form with choices. */
export const CHOICES: JsonSchema = object({
  untitledSingle: { type: "string", enum: OPTIONS },
  titledSingle: { type: "string", oneOf: titled("Option") },
  legacyEnum: {
    type: "string",
    enum: ["opt1", "opt2", "opt3"],
    enumNames: ["Option One", "Option Two", "Option Three"],
  },
  untitledMulti: { type: "array", items: { type: "string", enum: OPTIONS } },
  titledMulti: { type: "array", items: { anyOf: titled("Choice") } },
});

function titled(noun: string): { const: string; title: string }[] {
  return ["First", "Second", "Third"].map((ordinal, index) => ({
    const: `value${index + 1}`,
    title: `${ordinal} ${noun}`,
  }));
}

/** Formats the answer to a form. */
export function inWords(
  { action, content }: { action: string; content?: unknown },
): string {
  return `action=${action}, content=${JSON.stringify(content ?? {})}`;
}
