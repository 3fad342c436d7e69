/**
 * How far a viewer is behind, told by itself. What the kernel says cannot be trusted: megabytes, minutes of data, sit
 * in socket buffers before a write reports pressure. So about every half second, while data flows, a frame asks for
 * an acknowledgement; one is outstanding at most. Not answered for `stallMs`: stop sending. Answered: go on, with one
 * merged frame a view instead of all that was missed. Silent for much longer: the peer is gone.
 *
 * Plain functions over a few fields, because there is one of these for every connection.
 */
export interface Flow {
  /** Number that was asked for and has not come back; 0 when none is outstanding. */
  asked: number;
  /** Monotonic ms of the last question. */
  askedAt: number;
  /** Sending stopped until the answer comes or the buffer is empty. */
  stalled: boolean;
  /** Monotonic ms since when; meaningful while stalled. */
  stalledAt: number;
}

export const flowLimits = {
  askEveryMs: 500,
  stallMs: 1000,
  /** Bytes waiting in this process; a bound on memory where no acknowledgements exist or none was due yet. */
  bufferedBytes: 256 * 1024,
} as const;

/** `phase` 0…1 spreads the questions of sockets that opened together over time. */
export function createFlow(now: number, phase: number): Flow {
  return { asked: 0, askedAt: now - phase * flowLimits.askEveryMs, stalled: false, stalledAt: 0 };
}

/** Whether the next frame should ask. */
export function shouldAsk(flow: Flow, now: number): boolean {
  return flow.asked === 0 && now - flow.askedAt >= flowLimits.askEveryMs;
}

export function ask(flow: Flow, n: number, now: number): void {
  flow.asked = n;
  flow.askedAt = now;
}

/** When it is time to ask, or to stall, if nothing else happens; monotonic ms. */
export function nextLookAt(flow: Flow): number {
  return flow.askedAt + (flow.asked === 0 ? flowLimits.askEveryMs : flowLimits.stallMs);
}

/** Whether nothing more may be sent for now; remembers it. */
export function mustStall(flow: Flow, bufferedBytes: number, now: number): boolean {
  if (flow.stalled) return true;
  const overdue = flow.asked !== 0 && now - flow.askedAt > flowLimits.stallMs;
  if (!overdue && bufferedBytes <= flowLimits.bufferedBytes) return false;
  flow.stalled = true;
  flow.stalledAt = now;
  return true;
}

/**
 * Takes an acknowledgement; true when sending starts again because of it. A number confirms all before it; an older
 * one, or one that nobody is waiting for, means nothing.
 */
export function acknowledge(flow: Flow, n: number): boolean {
  if (flow.asked === 0 || n < flow.asked) return false;
  flow.asked = 0;
  return resume(flow);
}

/** The buffer ran empty: a viewer of whom no answer is due starts again. */
export function drained(flow: Flow): boolean {
  return flow.asked === 0 && resume(flow);
}

/** Neither an answer nor, where none is due, an empty buffer for so long. */
export function isDead(flow: Flow, now: number, deadMs: number): boolean {
  if (flow.asked !== 0) return now - flow.askedAt > deadMs;
  return flow.stalled && now - flow.stalledAt > deadMs;
}

/** Age of the newest data the viewer is known to have, 0 when it is up to date. */
export function stalenessMs(flow: Flow, now: number): number {
  if (flow.asked !== 0) return now - flow.askedAt;
  return flow.stalled ? now - flow.stalledAt : 0;
}

function resume(flow: Flow): boolean {
  const was = flow.stalled;
  flow.stalled = false;
  return was;
}
