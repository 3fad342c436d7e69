import { inOneTurn } from '@nowcast/kernel/slices';
import type { ViewFrame } from '@nowcast/ports';
import type { LiveViewRegistry } from '../registry.ts';
import type { Tick } from '../sources.ts';

/** A pass of the views in one turn, and what comes behind it, as the engine does it. */
export function pass(registry: LiveViewRegistry, tick: Tick): ViewFrame[] {
  const frames = inOneTurn(registry.advance(tick));
  registry.reload();
  return frames;
}
