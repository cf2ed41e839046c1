import { ClientPanel } from "./client_panel.js";
import { formatCount, plural, setText } from "./format.js";
import { McpClient } from "./mcp_client.js";
import { MessageList } from "./message_list.js";
import { NodesTable } from "./nodes_table.js";
import { startOperatorPanel } from "./operator_panel.js";
import { Samples } from "./samples.js";
import { Sequence } from "./sequence.js";
import { StreamsChart } from "./streams_chart.js";
import { Tiles } from "./tiles.js";

const find = (id) => document.getElementById(id);

const client = new McpClient("/mcp");
const samples = new Samples();
const sequence = new Sequence();
const clientPanel = new ClientPanel(client, sequence);
const tiles = new Tiles();
const nodesTable = new NodesTable(find("nodes"));
const streamsChart = new StreamsChart(find("by-node"));
const notices = new MessageList(find("notices"), 3);
const log = new MessageList(find("log"), 6);
startOperatorPanel(client, samples);

let noticeCount = 0;
/** When the current stream began to continue an earlier one. */
let resumedAt = 0;

client.addEventListener("open", ({ detail }) => {
  if (detail.isResumed) resumedAt = Date.now();
});
client.addEventListener("closed", ({ detail }) => {
  log.add(detail.reason, "closed");
});
client.addEventListener("log", ({ detail }) => {
  log.add(detail.text, detail.what);
});
client.addEventListener("notification", ({ detail: { params } }) => {
  if (params?.logger === "numbers") {
    const { number, sentAt } = params.data;
    sequence.add(number, sentAt < resumedAt ? "replayed" : "live");
  } else if (params?.logger === "operator") {
    notices.add(params.data.text);
    setText(find("notice-count"), formatCount(++noticeCount));
  }
});
client.addEventListener("reset", readAgain);
client.addEventListener("session", () => {
  // A new session, because the nodes have lost the old one.
  if (sequence.received > 0) void readAgain();
});

/** Reads the messages that were lost with a node. */
async function readAgain() {
  const uri = "messages:///recent";
  const { contents } = await client.request("resources/read", { uri });
  const before = sequence.received;
  for (const { number } of JSON.parse(contents[0].text)) {
    sequence.add(number, "read");
  }
  const found = plural(sequence.received - before, "message");
  log.add(`resources/read ${uri}: ${found} that were lost`, "POST");
}

samples.addEventListener("sample", () => {
  const { latest, all } = samples;
  document.body.dataset.at = latest.at; // names the sample that is shown
  showHealth(latest);
  clientPanel.show({ sent: latest.sent, due: samples.due });
  tiles.show(all);
  nodesTable.show(latest.nodes, clientPanel.node);
  streamsChart.show(all);
});
samples.addEventListener("lost", () => {
  setText(find("health"), "The demo does not answer");
  find("health").dataset.state = "bad";
});

function showHealth({ nodes, clients }) {
  const isShared = nodes.some(({ pid }) => pid !== undefined);
  const kind = isShared ? "processes over Redis" : "workers of one process";
  setText(
    find("setup"),
    `${nodes.length} ${kind}, behind one port, with ` +
      plural(clients.connected + clients.away, "client"),
  );
  const running = nodes.filter(({ status }) => status === "running").length;
  setText(find("health"), `${running} of ${nodes.length} nodes running`);
  find("health").dataset.state = running === nodes.length ? "good" : "warn";
}

addEventListener("pagehide", () => client.end());
samples.start();
void client.run();
