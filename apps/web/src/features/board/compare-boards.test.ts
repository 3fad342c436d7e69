import { describe, expect, it } from 'vitest';
import type { BoardContent, Panel } from '@nowcast/contract';
import { compareBoards } from './compare-boards.ts';

const panel = (id: string, change: Partial<Panel> = {}): Panel => ({
  visualization_id: id,
  title: id.toUpperCase(),
  metric_type: 'm',
  chart_type: 'line',
  query: { group_by: [], where: {} },
  layout: { x: 0, y: 0, w: 6, h: 8 },
  display: { unit: 'none', legend: 'list', thresholds: [], connect_gaps: false },
  ...change,
});
const board = (panels: Panel[], change: Partial<BoardContent> = {}): BoardContent => ({
  title: 'Board',
  description: '',
  window: '15m',
  shared: false,
  variables: [],
  panels,
  ...change,
});

describe('two versions of a board', () => {
  it('differ in panels that came, went and changed, and in the board itself', () => {
    const before = board([panel('a'), panel('b'), panel('c')]);
    const after = board([panel('a', { chart_type: 'bar', title: 'Bars' }), panel('c'), panel('d')], {
      window: '1h',
    });
    expect(compareBoards(before, after)).toEqual([
      { kind: 'added', text: '“D”' },
      { kind: 'removed', text: '“B”' },
      { kind: 'changed', text: 'The range it opens with' },
      { kind: 'changed', text: '“Bars”: title, kind of chart' },
    ]);
  });

  it('do not differ where nothing was changed', () => {
    expect(compareBoards(board([panel('a')]), board([panel('a')]))).toEqual([]);
  });
});
