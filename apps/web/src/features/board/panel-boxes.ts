import type { Panel } from '@nowcast/contract';
import type { Box } from './grid-layout.ts';

export function boxesOf(panels: readonly Panel[]): Box[] {
  return panels.map((panel) => ({ id: panel.visualization_id, ...panel.layout }));
}

/** Writes places computed by the grid back into the panels. */
export function withBoxes(panels: readonly Panel[], boxes: readonly Box[]): Panel[] {
  return panels.map((panel) => {
    const box = boxes.find((one) => one.id === panel.visualization_id);
    return box === undefined ? panel : { ...panel, layout: { x: box.x, y: box.y, w: box.w, h: box.h } };
  });
}
