/** The counters of an `SdkHandler`. They start at 0. */
export interface SdkHandlerStats {
  /** How many servers of sessions this node holds now. */
  readonly hosted: number;
  /** How many sessions began here. */
  readonly begun: number;
}
