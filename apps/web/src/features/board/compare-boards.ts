import type { BoardContent, Panel } from '@nowcast/contract';

/** One difference between two versions of a board, in words. */
interface BoardDifference {
  kind: 'added' | 'removed' | 'changed';
  text: string;
}

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const panelParts: readonly (readonly [part: keyof Panel, name: string])[] = [
  ['title', 'title'],
  ['metric_type', 'metric'],
  ['chart_type', 'kind of chart'],
  ['query', 'query'],
  ['display', 'look'],
  ['layout', 'place or size'],
];

const boardParts: readonly (readonly [part: Exclude<keyof BoardContent, 'panels'>, text: string])[] = [
  ['title', 'The title'],
  ['description', 'The description'],
  ['window', 'The range it opens with'],
  ['shared', 'Who can see it'],
  ['variables', 'The variables'],
];

/** What one has to do to `before` to get `after`: panels that came and went first, then what changed. */
export function compareBoards(before: BoardContent, after: BoardContent): BoardDifference[] {
  const byId = (panels: readonly Panel[]) => new Map(panels.map((panel) => [panel.visualization_id, panel]));
  const old = byId(before.panels);
  const now = byId(after.panels);
  const found: BoardDifference[] = [];
  for (const [id, panel] of now) {
    if (!old.has(id)) found.push({ kind: 'added', text: `“${panel.title}”` });
  }
  for (const [id, panel] of old) {
    if (!now.has(id)) found.push({ kind: 'removed', text: `“${panel.title}”` });
  }
  for (const [part, text] of boardParts) {
    if (!same(before[part], after[part])) found.push({ kind: 'changed', text });
  }
  for (const [id, panel] of now) {
    const earlier = old.get(id);
    if (earlier === undefined) continue;
    const parts = panelParts.filter(([part]) => !same(earlier[part], panel[part])).map(([, name]) => name);
    if (parts.length > 0) found.push({ kind: 'changed', text: `“${panel.title}”: ${parts.join(', ')}` });
  }
  return found;
}
