/**
 * Metrics of sessions for OpenTelemetry, which Prometheus and others can read.
 *
 * Pass {@linkcode instrumentSessions} the sessions and a meter.
 *
 * @module
 */

export {
  instrumentSessions,
  type SessionsInstrumentation,
} from "./instrument_sessions.ts";
export type {
  BatchCallback,
  BatchResult,
  InstrumentOptions,
  MeasurementAttributes,
  Meter,
  ObservableInstrument,
} from "./meter.ts";
