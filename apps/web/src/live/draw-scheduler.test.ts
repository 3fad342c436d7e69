import { describe, expect, it } from 'vitest';
import { DrawScheduler, type Drawable, type FrameSource } from './draw-scheduler.ts';

/** Frames run when told to; drawing takes as long as the drawable says. */
class ManualFrames implements FrameSource {
  #pending: (() => void) | null = null;
  nowMs = 0;

  request(fn: () => void): number {
    this.#pending = fn;
    return 1;
  }

  cancel(): void {
    this.#pending = null;
  }

  monotonic(): number {
    return this.nowMs;
  }

  frame(): boolean {
    const run = this.#pending;
    this.#pending = null;
    run?.();
    return run !== null;
  }
}

function busy(frames: ManualFrames, name: string, costMs: number, log: string[]): Drawable {
  return {
    needsDraw: () => true,
    draw() {
      log.push(name);
      frames.nowMs += costMs;
    },
  };
}

describe('the draw scheduler', () => {
  it('stops after its budget and goes on, round robin, in the next frame', () => {
    const frames = new ManualFrames();
    const scheduler = new DrawScheduler(frames, () => 0);
    const log: string[] = [];
    for (const name of ['a', 'b', 'c', 'd']) scheduler.add(busy(frames, name, 3, log));
    frames.frame();
    expect(log).toEqual(['a', 'b']);
    frames.frame();
    expect(log).toEqual(['a', 'b', 'c', 'd']);
    frames.frame();
    expect(log.slice(4)).toEqual(['a', 'b']);
  });

  it('skips what is off screen and what would not change', () => {
    const frames = new ManualFrames();
    const scheduler = new DrawScheduler(frames, () => 0);
    const log: string[] = [];
    const hidden = busy(frames, 'hidden', 0, log);
    scheduler.add(hidden);
    scheduler.add({ needsDraw: () => false, draw: () => log.push('still') });
    scheduler.add(busy(frames, 'shown', 0, log));
    scheduler.setVisible(hidden, false);
    frames.frame();
    expect(log).toEqual(['shown']);
    scheduler.setVisible(hidden, true);
    frames.frame();
    expect(log).toEqual(['shown', 'hidden', 'shown']);
  });

  it('goes on with the others when one cannot be drawn', () => {
    const frames = new ManualFrames();
    const scheduler = new DrawScheduler(frames, () => 0);
    const log: string[] = [];
    scheduler.add(busy(frames, 'a', 0, log));
    scheduler.add({
      needsDraw: () => true,
      draw: () => {
        throw new RangeError('Invalid time value');
      },
    });
    scheduler.add(busy(frames, 'b', 0, log));
    expect(() => frames.frame()).toThrow('Invalid time value');
    expect(() => frames.frame()).toThrow('Invalid time value');
    expect(log).toEqual(['a', 'b', 'a']);
  });

  it('asks for no frames once nothing is left to draw', () => {
    const frames = new ManualFrames();
    const scheduler = new DrawScheduler(frames, () => 0);
    const remove = scheduler.add(busy(frames, 'a', 0, []));
    expect(frames.frame()).toBe(true);
    remove();
    expect(frames.frame()).toBe(false);
  });
});
