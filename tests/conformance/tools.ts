import type { McpServer } from "tmcp";
import { tool } from "tmcp/utils";
import { AUDIO, IMAGE } from "./contents.ts";
import { type JsonSchema, jsonSchema } from "./json_schema.ts";

/** Adds the tools that answer without a request to the client. */
export function addTools(
  mcp: McpServer<JsonSchema>,
  earlyEnd: () => void,
): void {
  mcp.tool(
    { name: "test_simple_text", description: "A text" },
    () => tool.text("This is a simple text response for testing."),
  );
  mcp.tool(
    { name: "test_image_content", description: "An image" },
    () => tool.media("image", IMAGE, "image/png"),
  );
  mcp.tool(
    { name: "test_audio_content", description: "A sound" },
    () => tool.media("audio", AUDIO, "audio/wav"),
  );
  mcp.tool(
    { name: "test_embedded_resource", description: "A resource" },
    () =>
      tool.resource({
        uri: "test://embedded-resource",
        mimeType: "text/plain",
        text: "This is an embedded resource content.",
      }),
  );
  mcp.tool(
    {
      name: "test_multiple_content_types",
      description: "Several kinds of content",
    },
    () =>
      tool.mix([
        tool.text("Multiple content types test:"),
        tool.media("image", IMAGE, "image/png"),
        tool.resource({
          uri: "test://mixed-content-resource",
          mimeType: "application/json",
          text: JSON.stringify({ test: "data", value: 123 }),
        }),
      ]),
  );
  mcp.tool(
    { name: "test_error_handling", description: "An error" },
    // In tmcp, an error that a tool throws becomes a protocol error, not a tool
    // error.
    () => tool.error("This tool intentionally returns an error for testing"),
  );
  addSlowTools(mcp, earlyEnd);
  addNotifyingTools(mcp);
  mcp.tool(
    {
      name: "json_schema_2020_12_tool",
      description: "Arguments described in JSON Schema 2020-12",
      schema: jsonSchema({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        $defs: {
          address: {
            type: "object",
            properties: {
              street: { type: "string" },
              city: { type: "string" },
            },
          },
        },
        properties: {
          name: { type: "string" },
          address: { $ref: "#/$defs/address" },
        },
        additionalProperties: false,
      }),
    },
    (input) => tool.text(`Called with: ${JSON.stringify(input)}`),
  );
}

/** Adds the tools that send something before they answer. */
function addSlowTools(
  mcp: McpServer<JsonSchema>,
  earlyEnd: () => void,
): void {
  mcp.tool(
    {
      name: "test_tool_with_logging",
      description: "Log messages, then a text",
    },
    async () => {
      mcp.log("info", "Tool execution started");
      await pause(50);
      mcp.log("info", "Tool processing data");
      await pause(50);
      mcp.log("info", "Tool execution completed");
      return tool.text("Tool with logging executed successfully");
    },
  );
  mcp.tool(
    { name: "test_tool_with_progress", description: "Progress, then a text" },
    async () => {
      mcp.progress(0, 100);
      await pause(50);
      mcp.progress(50, 100);
      await pause(50);
      mcp.progress(100, 100);
      return tool.text("Tool with progress executed successfully");
    },
  );
  mcp.tool(
    {
      name: "test_reconnection",
      description: "Ends the response, then answers the client that resumes",
    },
    async () => {
      // The start of the stream must be sent before it ends.
      await pause(50);
      earlyEnd();
      await pause(100);
      return tool.text("Reconnection test completed successfully");
    },
  );
}

/** Adds the tools that change something that others are notified of. */
function addNotifyingTools(mcp: McpServer<JsonSchema>): void {
  mcp.tool(
    { name: "test_trigger_tool_change", description: "Changes the tools" },
    () => {
      mcp.changed("tools");
      return tool.text("done");
    },
  );
  mcp.tool(
    { name: "test_trigger_prompt_change", description: "Changes the prompts" },
    () => {
      mcp.changed("prompts");
      return tool.text("done");
    },
  );
  mcp.tool(
    { name: "test_logging_tool", description: "A log message, then a text" },
    () => {
      mcp.log("info", "Not for a client without a log level");
      return tool.text("done");
    },
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
