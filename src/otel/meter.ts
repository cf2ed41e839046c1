import { InvalidArgumentError } from "../errors.ts";
import { formatValue } from "../format_value.ts";

/** Attributes of a measurement. */
export interface MeasurementAttributes {
  /** The value of each attribute, by its name. */
  [name: string]: string;
}

/** What describes an instrument. */
export interface InstrumentOptions {
  /** What it measures. */
  readonly description: string;
  /** The unit, in the notation of UCUM. */
  readonly unit: string;
  /** How it should be aggregated. */
  readonly advice?: { explicitBucketBoundaries: number[] };
}

/**
 * An instrument that is read when metrics are collected, as a meter has created
 * it: an `Observable` of `@opentelemetry/api`.
 */
export type ObservableInstrument = object;

/** Where a callback puts what it has read. */
export interface BatchResult {
  /** Adds a measurement of an instrument. */
  observe(
    instrument: ObservableInstrument,
    value: number,
    attributes?: MeasurementAttributes,
  ): void;
}

/** Called when metrics are collected. */
export type BatchCallback = (result: BatchResult) => void;

/**
 * What this package uses of a `Meter` of `@opentelemetry/api`, the result of
 * `metrics.getMeter(name)` or `meterProvider.getMeter(name)`.
 */
export interface Meter {
  /** Creates a histogram. */
  createHistogram(
    name: string,
    options: InstrumentOptions,
  ): { record(value: number, attributes?: MeasurementAttributes): void };
  /** Creates a counter that is read when metrics are collected. */
  createObservableCounter(
    name: string,
    options: InstrumentOptions,
  ): ObservableInstrument;
  /** Creates a gauge that is read when metrics are collected. */
  createObservableGauge(
    name: string,
    options: InstrumentOptions,
  ): ObservableInstrument;
  /** Creates a counter that goes up and down, read in the same way. */
  createObservableUpDownCounter(
    name: string,
    options: InstrumentOptions,
  ): ObservableInstrument;
  /** Adds a callback that reads several instruments. */
  addBatchObservableCallback(
    callback: BatchCallback,
    instruments: ObservableInstrument[],
  ): void;
  /** Removes it. */
  removeBatchObservableCallback(
    callback: BatchCallback,
    instruments: ObservableInstrument[],
  ): void;
}

const METHODS = [
  "createHistogram",
  "createObservableCounter",
  "createObservableGauge",
  "createObservableUpDownCounter",
  "addBatchObservableCallback",
  "removeBatchObservableCallback",
] as const;

/** Throws if a value is not a meter. */
export function assertMeter(meter: unknown): asserts meter is Meter {
  const methods = (meter ?? {}) as Partial<Meter>;
  if (METHODS.every((name) => typeof methods[name] === "function")) return;
  throw new InvalidArgumentError(
    "meter",
    '"meter" must be a Meter of "@opentelemetry/api", the result of ' +
      `\`metrics.getMeter("my server")\`, but got ${formatValue(meter)}.`,
  );
}
