import { describe, expect, it } from 'vitest';
import { nextHidden } from './next-hidden.ts';

const names = ['a', 'b', 'c'];
const shown = (hidden: ReadonlySet<string>): string[] => names.filter((name) => !hidden.has(name));

describe('the legend', () => {
  it('isolates on a press and shows all again on the second', () => {
    const alone = nextHidden(new Set(), names, 'b', false);
    expect(shown(alone)).toEqual(['b']);
    expect(shown(nextHidden(alone, names, 'b', false))).toEqual(names);
    expect(shown(nextHidden(alone, names, 'c', false))).toEqual(['c']);
  });

  it('toggles with Shift and never leaves the chart empty', () => {
    const without = nextHidden(new Set(), names, 'b', true);
    expect(shown(without)).toEqual(['a', 'c']);
    expect(shown(nextHidden(without, names, 'b', true))).toEqual(names);
    expect(shown(nextHidden(new Set(['a', 'c']), names, 'b', true))).toEqual(names);
  });
});
