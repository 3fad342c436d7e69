import type { BoardContent, Panel } from '@nowcast/contract';
import { boardColumns, compact } from '../board/grid-layout.ts';
import { boxesOf, withBoxes } from '../board/panel-boxes.ts';
import { draftReducer, startDraft, type Draft } from './board-draft.ts';
import { duplicatePanel } from './suggest-panel.ts';

/** What was chosen in a panel's menu while the board was only being looked at; editing begins with it. */
export interface EditIntent {
  kind: 'duplicate' | 'move' | 'delete';
  panelId: string;
}

export function withoutPanel(panels: readonly Panel[], panelId: string): Panel[] {
  const rest = panels.filter((panel) => panel.visualization_id !== panelId);
  return withBoxes(rest, compact(boxesOf(rest), boardColumns));
}

/** Puts a panel back where it was, and what has taken its place moves down; the same content where the panel is there. */
export function withPanelBack(content: BoardContent, panel: Panel, at: number): BoardContent {
  const id = panel.visualization_id;
  if (content.panels.some((one) => one.visualization_id === id)) return content;
  const all = content.panels.toSpliced(at, 0, panel);
  return { ...content, panels: withBoxes(all, compact(boxesOf(all), boardColumns, id)) };
}

/** The draft an edit starts with: the board as saved, and the intent as its first step, so that Undo takes it back. */
export function draftOf({ content, intent }: { content: BoardContent; intent: EditIntent | null }): Draft {
  const draft = startDraft(content);
  const panel = content.panels.find((one) => one.visualization_id === intent?.panelId);
  if (intent === null || panel === undefined || intent.kind === 'move') return draft;
  const panels =
    intent.kind === 'delete'
      ? withoutPanel(content.panels, panel.visualization_id)
      : [...content.panels, duplicatePanel(panel, content.panels)];
  return draftReducer(draft, { type: 'change', content: { ...content, panels } });
}
