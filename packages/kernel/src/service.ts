/** Anything long-lived. The composition root starts services in order and stops them in reverse. */
export interface Service {
  /** Resolves when the service is ready to serve. */
  run(): Promise<void>;
  /** Stops taking new work and lets what users would feel finish; called before `stop`. */
  drain?(): Promise<void>;
  /** Releases everything. Safe to call twice. */
  stop(): Promise<void>;
}

/** Ends a subscription; calling it twice is harmless. */
export type Unsubscribe = () => void;
