import { appError } from '@nowcast/contract';
import { type AppError, type Clock, isAppError } from '@nowcast/kernel';
import type { DirectSend, ViewFrame } from '@nowcast/ports';
import type { Logger } from '../log.ts';
import { Cadence } from './cadence.ts';
import { CohortTick } from './cohort-tick.ts';
import { Cohorts } from './cohorts.ts';
import type { Cohort, Connection, SharedView, Subscription } from './connection.ts';
import { CrowdWriter } from './crowd-writer.ts';
import { EncodedFrame } from './encoded-frame.ts';
import { ask, mustStall, nextLookAt, shouldAsk } from './flow-control.ts';
import type { SharedViews } from './shared-views.ts';

/**
 * Sends frames to viewers, and keeps the one promise the protocol stands on: the deltas a viewer gets join up.
 *
 *     engine ──frames──┐                        ┌─► cohort A: one buffer, one write a socket
 *     engine ──answers─┼─► queue, one at a time ┤
 *     viewers ─changes─┘                        └─► cohort B …
 *
 * A tick to thousands of sockets must yield to other work in between, and then half of them have it and half do not.
 * So everything that changes who is where (a tick, an answer that lets a subscription join, a pause, an unsubscribe)
 * goes through one queue and is done whole before the next begins. Outside of a tick every flowing subscription
 * stands at its view's `seq`; therefore nobody keeps a position of their own until they stop flowing.
 */
type Work =
  | { kind: 'tick'; frames: readonly ViewFrame[] }
  | { kind: 'join'; connection: Connection; subscription: Subscription; encoded: EncodedFrame }
  | { kind: 'hold' | 'release' | 'gone'; connection: Connection }
  | { kind: 'leave'; connection: Connection; subscription: Subscription };

/** Writes between two chances for other work; so many take about 3 ms. */
const usualWritesPerTurn = 500;
/**
 * Viewers that join within such a time are asked with one number, so that a crowd that comes back together is sent
 * one buffer and not a copy each. Shorter than the time between two questions to one viewer, whose answers it would
 * confuse otherwise.
 */
const sameQuestionMs = 100;

export interface DeliveryStats {
  writes: number;
  frames: number;
  bytes: number;
  stalls: number;
}

export interface DeliveryOptions {
  views: SharedViews;
  clock: Clock;
  log: Logger;
  /** Milliseconds from receipt of a frame's newest record until it was written to all flowing viewers. */
  observeDelayMs: (ms: number) => void;
  /** A view could not be read: the subscription can get no frames any more, and its viewer must be told. */
  onUnreadable: (connection: Connection, subscription: Subscription, error: unknown) => void;
  /** The engine let go of a view: the same for all who have it. */
  onEnded: (view: SharedView) => void;
  writesPerTurn?: number;
  /** Undefined: everything is written through the connections' streams. */
  directSend?: DirectSend | undefined;
}

/** What viewers of a view are told that the engine let go of. */
export function viewEnded(): AppError {
  return appError('server.unavailable', 'this view ended on the server; ask for it again');
}

export class Delivery {
  readonly stats: DeliveryStats = { writes: 0, frames: 0, bytes: 0, stalls: 0 };
  readonly #options: DeliveryOptions;
  readonly #cohorts = new Cohorts();
  readonly #cadence: Cadence;
  readonly #writer: CrowdWriter;
  readonly #queue: Work[] = [];
  readonly #writesPerTurn: number;
  #working = false;
  /** Number of the last question for an acknowledgement, and since when it is asked. */
  #question = 0;
  #questionFrom = 0;
  #rotation = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#writesPerTurn = options.writesPerTurn ?? usualWritesPerTurn;
    this.#writer = new CrowdWriter(options.directSend, this.#writesPerTurn);
    this.#cadence = new Cadence(options.clock, (connection, subscription) =>
      this.#catchUp(connection, subscription),
    );
  }

  get cohorts(): number {
    return this.#cohorts.size;
  }

  tick(frames: readonly ViewFrame[]): void {
    // Now and not when it is written: a viewer who asks meanwhile must not be given a snapshot from before this tick.
    for (const { view } of frames) {
      const shared = this.#options.views.get(view);
      if (shared !== undefined) shared.fresh = undefined;
    }
    this.#do({ kind: 'tick', frames });
  }

  /** The subscription's view is open: bring it up to date, then let it flow. */
  start(connection: Connection, subscription: Subscription): void {
    this.#catchUp(connection, subscription);
  }

  /** Stops the frames of a connection and remembers where it stands. */
  hold(connection: Connection): void {
    this.#do({ kind: 'hold', connection });
  }

  /** Starts them again, with one merged frame for each view that moved on. */
  release(connection: Connection): void {
    this.#do({ kind: 'release', connection });
  }

  leave(connection: Connection, subscription: Subscription): void {
    this.#do({ kind: 'leave', connection, subscription });
  }

  gone(connection: Connection): void {
    this.#do({ kind: 'gone', connection });
  }

  /** The next number to ask with, when this connection should be asked now; 0 when not. */
  question(connection: Connection, now: number): number {
    if (!connection.acknowledges || !shouldAsk(connection.flow, now)) return 0;
    if (now - this.#questionFrom >= sameQuestionMs) this.#nextQuestion(now);
    ask(connection.flow, this.#question, now);
    return this.#question;
  }

  #nextQuestion(now: number): void {
    this.#question = (this.#question % 0xffff_ffff) + 1;
    this.#questionFrom = now;
  }

  stop(): void {
    this.#cadence.stop();
  }

  #do(work: Work): void {
    this.#queue.push(work);
    if (this.#working) return;
    this.#working = true;
    void this.#work();
  }

  /** Runs to the end without a pause unless a tick has more than `writesPerTurn` sockets to write. Never rejects. */
  async #work(): Promise<void> {
    for (let work = this.#queue.shift(); work !== undefined; work = this.#queue.shift()) {
      try {
        if (work.kind === 'tick') {
          const turns = this.#tick(this.#mergeTicks(work.frames));
          for (const _ of turns) await new Promise((resolve) => setImmediate(resolve));
        } else this.#change(work);
      } catch (error) {
        this.#options.log.error('delivery failed', { error });
      }
    }
    this.#working = false;
  }

  /** Ticks that came while another was being written go out together. */
  #mergeTicks(frames: readonly ViewFrame[]): readonly ViewFrame[] {
    let merged = frames;
    while (this.#queue[0]?.kind === 'tick') {
      const next = this.#queue.shift();
      if (next?.kind === 'tick') merged = [...merged, ...next.frames];
    }
    return merged;
  }

  #change(work: Exclude<Work, { kind: 'tick' }>): void {
    const { connection } = work;
    if (work.kind === 'join') this.#join(connection, work.subscription, work.encoded);
    else if (work.kind === 'leave') this.#leave(connection, work.subscription);
    else if (work.kind === 'hold') this.#hold(connection);
    else if (work.kind === 'release') this.#release(connection);
    else {
      for (const subscription of connection.subscriptions.values()) this.#leave(connection, subscription);
      connection.subscriptions.clear();
    }
  }

  /** Yields after each `writesPerTurn` writes. */
  *#tick(frames: readonly ViewFrame[]): Generator<void> {
    const { views, observeDelayMs } = this.#options;
    this.#cohorts.settle();
    const news = new Map<SharedView, EncodedFrame[]>();
    const ended = new Set<SharedView>();
    const cohorts = new Set<Cohort>();
    for (const frame of frames) {
      const view = views.get(frame.view);
      if (view === undefined) continue;
      if (frame.kind === 'ended') {
        ended.add(view);
        continue;
      }
      const list = news.get(view);
      if (list === undefined) news.set(view, [new EncodedFrame(frame, view.epoch)]);
      else list.push(new EncodedFrame(frame, view.epoch));
      for (const cohort of view.cohorts) cohorts.add(cohort);
    }
    this.#nextQuestion(this.#options.clock.monotonic());
    this.#rotation++;
    const stalled: Connection[] = [];
    for (const cohort of cohorts) yield* this.#deliver(cohort, news, stalled);
    for (const connection of stalled) this.#hold(connection);
    for (const [view, list] of news) {
      view.seq = list.at(-1)?.frame.seq ?? view.seq;
      this.#cadence.touch(view);
    }
    for (const view of ended) this.#end(view);
    const wall = this.#options.clock.now();
    for (const frame of frames)
      if (frame.receivedAt > 0) observeDelayMs(Math.max(0, wall - frame.receivedAt));
  }

  *#deliver(cohort: Cohort, news: Map<SharedView, EncodedFrame[]>, stalled: Connection[]): Generator<void> {
    const { members, lane } = cohort;
    const first = this.#rotation % members.length;
    const tick = new CohortTick(cohort, news, this.#question);
    const { bytes, frames } = tick.plain;
    this.#writer.begin(members);
    let now = this.#options.clock.monotonic();
    for (let i = 0; i < members.length; i++) {
      const index = first + i < members.length ? first + i : first + i - members.length;
      const fd = lane.fds[index]!;
      if (fd >= 0 && now < lane.until[index]!) this.#writer.add(bytes, index, fd);
      else if (!this.#look(cohort, index, tick, now, stalled)) continue;
      this.stats.frames += frames;
      this.stats.bytes += bytes.length;
      if (++this.stats.writes % this.#writesPerTurn === 0) {
        this.#writer.flush();
        yield;
        now = this.#options.clock.monotonic();
      }
    }
    this.#writer.flush();
  }

  /** Sends to a member after looking at it as a whole, and puts it into the fast lane; false when it gets nothing. */
  #look(cohort: Cohort, index: number, tick: CohortTick, now: number, stalled: Connection[]): boolean {
    const connection = cohort.members[index]!;
    if (connection.closed) return false;
    const { flow, sink } = connection;
    if (mustStall(flow, sink.writableLength, now)) {
      this.stats.stalls++;
      stalled.push(connection);
      return false;
    }
    const asks = connection.acknowledges && shouldAsk(flow, now);
    if (asks) ask(flow, this.#question, now);
    const { bytes } = asks ? tick.asking : tick.plain;
    const fd = this.#writer.fdOf(connection);
    if (fd < 0) {
      connection.write(bytes, now);
      return true;
    }
    connection.sentAt = now;
    // Before it is sent: what is not taken brings it out of the lane again.
    cohort.lane.fds[index] = fd;
    cohort.lane.until[index] = nextLookAt(flow);
    this.#writer.add(bytes, index, fd);
    return true;
  }

  /** Reads what the subscription misses; the answer joins the queue. */
  #catchUp(connection: Connection, subscription: Subscription): void {
    const { view } = subscription;
    if (view === undefined) return;
    subscription.state = 'reading';
    this.#cohorts.moved(connection);
    const fresh = subscription.position === undefined ? this.#options.views.freshSnapshot(view) : undefined;
    if (fresh !== undefined) {
      this.#do({ kind: 'join', connection, subscription, encoded: fresh });
      return;
    }
    this.#options.views.read(view, subscription.position).then(
      (encoded) => this.#do({ kind: 'join', connection, subscription, encoded }),
      (error: unknown) => {
        this.#options.log.warn('a view could not be read', { error });
        // The engine let go of it; that news is on its way, behind a tick that is being written.
        const isGone = isAppError(error) && error.code === 'request.not_found';
        if (isGone) this.#end(view);
        this.#options.onUnreadable(connection, subscription, isGone ? viewEnded() : error);
      },
    );
  }

  #join(connection: Connection, subscription: Subscription, encoded: EncodedFrame): void {
    const { view, position } = subscription;
    const { frame } = encoded;
    if (subscription.ended || connection.closed || view === undefined) return;
    const now = this.#options.clock.monotonic();
    const firstWhilePaused = connection.paused && !subscription.answered;
    if (
      mustStall(connection.flow, connection.sink.writableLength, now) ||
      (connection.paused && !firstWhilePaused)
    ) {
      subscription.state = 'held';
      return;
    }
    if (view.seq === '') view.seq = frame.seq;
    if (!subscription.answered || frame.kind === 'snapshot' || frame.seq !== position?.seq) {
      subscription.answered = true;
      const bytes = encoded.bytes(connection.format, subscription.id, this.question(connection, now));
      connection.write(bytes, now);
      this.stats.writes++;
      this.stats.frames++;
      this.stats.bytes += bytes.length;
    }
    subscription.position = { epoch: view.epoch, seq: frame.seq };
    if (connection.paused) subscription.state = 'held';
    else if (subscription.intervalMs === 0) subscription.state = 'flowing';
    else {
      subscription.state = 'resting';
      this.#cadence.add(connection, subscription);
      if (frame.seq !== view.seq) this.#cadence.touch(view);
    }
    this.#cohorts.moved(connection);
  }

  #hold(connection: Connection): void {
    for (const subscription of connection.subscriptions.values()) {
      const { view, state } = subscription;
      if (view === undefined || state !== 'flowing') continue;
      subscription.position = { epoch: view.epoch, seq: view.seq };
      subscription.state = 'held';
    }
    this.#cohorts.moved(connection);
  }

  #release(connection: Connection): void {
    if (connection.closed || connection.flow.stalled) return;
    for (const subscription of connection.subscriptions.values()) {
      const { view, state, position } = subscription;
      if (view === undefined) continue;
      if (connection.paused) {
        // It subscribed while it was behind: the first message comes in spite of the pause.
        if (state === 'held' && !subscription.answered) this.#catchUp(connection, subscription);
      } else if (state === 'resting') this.#cadence.touch(view);
      else if (state === 'held') {
        const isUpToDate = subscription.answered && position?.seq === view.seq;
        if (isUpToDate && subscription.intervalMs === 0) subscription.state = 'flowing';
        else this.#catchUp(connection, subscription);
      }
    }
    this.#cohorts.moved(connection);
  }

  /** Its viewers leave through the queue, behind the work that is being done. */
  #end(view: SharedView): void {
    if (this.#options.views.get(view.view) !== view) return;
    this.#options.views.forget(view);
    this.#options.onEnded(view);
  }

  #leave(connection: Connection, subscription: Subscription): void {
    subscription.ended = true;
    const { view } = subscription;
    if (view === undefined) return;
    subscription.view = undefined;
    this.#cadence.remove(subscription, view);
    this.#cohorts.moved(connection);
    // Cohorts still name the view; they must be settled before it can go.
    this.#cohorts.settle();
    this.#options.views.release(view);
  }
}
