import type { Server } from "@modelcontextprotocol/server";
import { IMAGE } from "./contents.ts";

type Arguments = Readonly<Record<string, string>>;

const RESOURCES: Readonly<
  Record<string, { readonly mimeType: string; readonly content: object }>
> = {
  "test://static-text": {
    mimeType: "text/plain",
    content: { text: "This is the content of the static text resource." },
  },
  "test://static-binary": { mimeType: "image/png", content: { blob: IMAGE } },
  "test://watched-resource": {
    mimeType: "text/plain",
    content: { text: "Watched resource content" },
  },
};
const TEMPLATE = /^test:\/\/template\/([^/]+)\/data$/;

/** Adds the resources that the suite reads and subscribes to. */
export function addSdkResources(server: Server): void {
  server.setRequestHandler("resources/list", () => ({
    resources: Object.entries(RESOURCES).map(([uri, { mimeType }]) => ({
      uri,
      mimeType,
      name: uri.slice("test://".length),
    })),
  }));
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: [{
      name: "template",
      uriTemplate: "test://template/{id}/data",
      mimeType: "application/json",
    }],
  }));
  server.setRequestHandler("resources/read", ({ params: { uri } }) => {
    const { mimeType, content } = RESOURCES[uri] ?? fromTemplate(uri);
    return { contents: [{ uri, mimeType, ...content } as never] };
  });
  server.setRequestHandler("resources/subscribe", () => ({}));
  server.setRequestHandler("resources/unsubscribe", () => ({}));
}

function fromTemplate(uri: string) {
  const [, id] = TEMPLATE.exec(uri) ?? [];
  if (id === undefined) throw new Error(`There is no resource "${uri}".`);
  const data = { id, templateTest: true, data: `Data for ID: ${id}` };
  return {
    mimeType: "application/json",
    content: { text: JSON.stringify(data) },
  };
}

interface Prompt {
  readonly arguments?: readonly string[];
  readonly contents: (args: Arguments) => readonly object[];
}

const text = (text: string) => ({ type: "text", text });

const PROMPTS: Readonly<Record<string, Prompt>> = {
  test_simple_prompt: {
    contents: () => [text("This is a simple prompt for testing.")],
  },
  test_prompt_with_arguments: {
    arguments: ["arg1", "arg2"],
    contents: ({ arg1, arg2 }) => [
      text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
    ],
  },
  test_prompt_with_embedded_resource: {
    arguments: ["resourceUri"],
    contents: ({ resourceUri: uri }) => [
      {
        type: "resource",
        resource: {
          uri,
          mimeType: "text/plain",
          text: "Embedded resource content for testing.",
        },
      },
      text("Please process the embedded resource above."),
    ],
  },
  test_prompt_with_image: {
    contents: () => [
      { type: "image", data: IMAGE, mimeType: "image/png" },
      text("Please analyze the image above."),
    ],
  },
};

/** Adds the prompts that the suite gets, and completions for their arguments. */
export function addSdkPrompts(server: Server): void {
  server.setRequestHandler("prompts/list", () => ({
    prompts: Object.entries(PROMPTS).map((
      [name, { arguments: args = [] }],
    ) => ({
      name,
      description: "A prompt for the conformance suite",
      arguments: args.map((name) => ({
        name,
        description: "An argument",
        required: true,
      })),
    })),
  }));
  server.setRequestHandler("prompts/get", ({ params }) => {
    const prompt = PROMPTS[params.name];
    if (!prompt) throw new Error(`There is no prompt "${params.name}".`);
    return {
      messages: prompt.contents(params.arguments ?? {}).map((content) => ({
        role: "user",
        content,
      } as never)),
    };
  });
  server.setRequestHandler("completion/complete", () => ({
    completion: { values: ["test", "testing"], total: 2, hasMore: false },
  }));
}
