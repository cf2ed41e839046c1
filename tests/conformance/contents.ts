import type { McpServer } from "tmcp";
import { complete, prompt, resource } from "tmcp/utils";
import { type JsonSchema, strings } from "./json_schema.ts";

/** A red dot: a PNG of one pixel. */
export const IMAGE =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** Silence: a WAV file without samples. */
export const AUDIO =
  "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

/** Adds the resources that the suite reads and subscribes to. */
export function addResources(mcp: McpServer<JsonSchema>): void {
  mcp.resource(
    {
      name: "static-text",
      description: "A static text",
      uri: "test://static-text",
      mimeType: "text/plain",
    },
    (uri) =>
      resource.text(
        uri,
        "This is the content of the static text resource.",
        "text/plain",
      ),
  );
  mcp.resource(
    {
      name: "static-binary",
      description: "A static image",
      uri: "test://static-binary",
      mimeType: "image/png",
    },
    (uri) => resource.blob(uri, IMAGE, "image/png"),
  );
  mcp.resource(
    {
      name: "watched-resource",
      description: "A text that clients can subscribe to",
      uri: "test://watched-resource",
      mimeType: "text/plain",
    },
    (uri) => resource.text(uri, "Watched resource content", "text/plain"),
  );
  mcp.template(
    {
      name: "template",
      description: "A text with a parameter",
      uri: "test://template/{id}/data",
      mimeType: "application/json",
    },
    (uri, { id }) =>
      resource.text(
        uri,
        JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        "application/json",
      ),
  );
}

/** Adds the prompts that the suite gets, and completions for one of them. */
export function addPrompts(mcp: McpServer<JsonSchema>): void {
  mcp.prompt(
    { name: "test_simple_prompt", description: "No arguments" },
    () => prompt.text("This is a simple prompt for testing."),
  );
  mcp.prompt(
    {
      name: "test_prompt_with_arguments",
      description: "Two arguments",
      schema: strings({ arg1: "The first", arg2: "The second" }),
      complete: { arg1: () => complete.values(["test", "testing"]) },
    },
    ({ arg1, arg2 }) =>
      prompt.text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
  );
  mcp.prompt(
    {
      name: "test_prompt_with_embedded_resource",
      description: "A resource in a prompt",
      schema: strings({ resourceUri: "The URI of the resource" }),
    },
    ({ resourceUri }) =>
      prompt.mix([
        prompt.resource({
          uri: resourceUri,
          mimeType: "text/plain",
          text: "Embedded resource content for testing.",
        }),
        prompt.text("Please process the embedded resource above."),
      ]),
  );
  mcp.prompt(
    { name: "test_prompt_with_image", description: "An image in a prompt" },
    () =>
      prompt.mix([
        prompt.media("image", IMAGE, "image/png"),
        prompt.text("Please analyze the image above."),
      ]),
  );
}
