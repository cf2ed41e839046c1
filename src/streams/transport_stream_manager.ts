import { StreamSessionManager } from "../contracts/stream_session_manager.ts";
import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";
import type { TransportStreams } from "../replay/recipients.ts";

/** What a {@linkcode TransportStreamManager} needs of its stream manager. */
export interface TransportStreamsPort {
  /** Attaches a stream that belongs to a transport. */
  create(
    id: string,
    controller: ReadableStreamDefaultController,
    transport: string,
  ): void | Promise<void>;
  /** Writes a frame to all streams of a transport. */
  broadcast(streams: TransportStreams, data: string): void | Promise<void>;
}

/** A stream manager as one transport sees it, see `Sessions.forTransport`. */
export class TransportStreamManager extends StreamSessionManager {
  readonly #streams: TransportStreams;
  readonly #manager: StreamSessionManager;
  readonly #port: TransportStreamsPort;

  /**
   * @param transport The name of the transport.
   * @param manager The stream manager that all transports share.
   * @param port What knows about transports.
   * @throws {InvalidArgumentError} If the name is not a string, or is empty.
   */
  constructor(
    transport: string,
    manager: StreamSessionManager,
    port: TransportStreamsPort,
  ) {
    super();
    if (typeof transport !== "string" || transport === "") {
      throw new InvalidArgumentError(
        "name",
        `The name of a transport must be a non-empty string, but got ` +
          `${formatValue(transport)}. Use one name for each transport, the ` +
          "same on all nodes.",
      );
    }
    this.#streams = { transport };
    this.#manager = manager;
    this.#port = port;
  }

  override create(
    id: string,
    controller: ReadableStreamDefaultController,
  ): void | Promise<void> {
    return this.#port.create(id, controller, this.#streams.transport);
  }

  override delete(id: string): void | Promise<void> {
    return this.#manager.delete(id);
  }

  override has(id: string): boolean | Promise<boolean> {
    return this.#manager.has(id);
  }

  override send(
    sessions: string[] | undefined,
    data: string,
  ): void | Promise<void> {
    return sessions === undefined
      ? this.#port.broadcast(this.#streams, data)
      : this.#manager.send(sessions, data);
  }
}
