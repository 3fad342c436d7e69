import { describe, expect, it } from 'vitest';
import type { BoardContent, Panel } from '@nowcast/contract';
import { draftReducer, isDirty } from './board-draft.ts';
import { draftOf, withoutPanel, withPanelBack } from './edit-intent.ts';

const panel = (id: string, y: number): Panel => ({
  visualization_id: id,
  title: id,
  metric_type: 'm',
  chart_type: 'line',
  query: { group_by: [], where: {} },
  layout: { x: 0, y, w: 12, h: 6 },
  display: { unit: 'none', legend: 'list', thresholds: [], connect_gaps: false },
});
const content: BoardContent = {
  title: 'b',
  description: '',
  window: '15m',
  shared: false,
  variables: [],
  panels: [panel('a', 0), panel('b', 6)],
};

describe('an edit that begins from a panel’s menu', () => {
  it('copies the panel below the others, and Undo takes it back', () => {
    const draft = draftOf({ content, intent: { kind: 'duplicate', panelId: 'a' } });
    expect(draft.content.panels.map((one) => one.title)).toEqual(['a', 'b', 'a (copy)']);
    expect(draft.content.panels[2]!.layout.y).toBe(12);
    expect(draftReducer(draft, { type: 'undo' }).content).toBe(content);
  });

  it('deletes the panel and closes the gap', () => {
    const draft = draftOf({ content, intent: { kind: 'delete', panelId: 'a' } });
    expect(draft.content.panels.map((one) => [one.title, one.layout.y])).toEqual([['b', 0]]);
  });

  it('changes nothing for a move, which is asked about first, or for a panel that is gone', () => {
    expect(isDirty(draftOf({ content, intent: { kind: 'move', panelId: 'a' } }))).toBe(false);
    expect(isDirty(draftOf({ content, intent: { kind: 'delete', panelId: 'x' } }))).toBe(false);
    expect(isDirty(draftOf({ content, intent: null }))).toBe(false);
  });
});

describe('a deleted panel that is put back', () => {
  const [a, b] = content.panels as [Panel, Panel];

  const holding = (panels: Panel[]): BoardContent => ({ ...content, panels });

  it('has its place again, above what moved up meanwhile', () => {
    expect(withPanelBack(holding(withoutPanel(content.panels, 'a')), a, 0)).toEqual(content);
  });

  it('takes nothing else back, and changes nothing where it is there', () => {
    const renamed = { ...b, title: 'Renamed' };
    expect(withPanelBack(holding(withoutPanel([a, renamed], 'a')), a, 0).panels).toEqual([a, renamed]);
    const whole = holding([a, renamed]);
    expect(withPanelBack(whole, a, 0)).toBe(whole);
  });
});
