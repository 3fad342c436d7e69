import { describe, expect, it } from 'vitest';
import type { Panel } from '@nowcast/contract';
import { unfinishedTab, wholePanel } from './whole-panel.ts';

const whole: Panel = {
  visualization_id: 'p',
  title: 'P',
  metric_type: 'orders',
  chart_type: 'line',
  query: { group_by: [], where: {}, limit: 5 },
  layout: { x: 0, y: 0, w: 6, h: 6 },
  display: {
    unit: 'none',
    legend: 'list',
    connect_gaps: false,
    min: 0,
    thresholds: [
      { value: 70, level: 'warn' },
      { value: 90, level: 'crit' },
    ],
  },
};
const { display, query } = whole;

describe('a panel whose numbers are being written', () => {
  it('is drawn without them, and as it is when it has them all', () => {
    const thresholds = [{ value: Number.NaN, level: 'warn' as const }, display.thresholds[1]!];
    const draft: Panel = {
      ...whole,
      query: { ...query, limit: Number.NaN },
      display: { ...display, min: Number.NaN, thresholds },
    };
    const { limit: _, ...withoutLimit } = query;
    const { min: __, ...withoutMin } = display;
    expect(wholePanel(draft)).toEqual({
      ...whole,
      query: withoutLimit,
      display: { ...withoutMin, thresholds: [thresholds[1]] },
    });
    expect(wholePanel(whole)).toBe(whole);
  });

  it('says on which tab one is missing', () => {
    const thresholds = [{ value: Number.NaN, level: 'warn' as const }];
    expect(unfinishedTab(whole)).toBeNull();
    expect(unfinishedTab({ ...whole, query: { ...query, limit: Number.NaN } })).toBe('query');
    expect(unfinishedTab({ ...whole, display: { ...display, max: Number.NaN } })).toBe('display');
    expect(unfinishedTab({ ...whole, display: { ...display, thresholds } })).toBe('display');
  });
});
