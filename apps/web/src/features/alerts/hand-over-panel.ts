import type { Panel } from '@nowcast/contract';
import type { PanelView } from '../board/panel-query.ts';
import { handOver } from './draft-handover.ts';
import { ruleOfPanel } from './rule-draft.ts';

/** Begins a rule with what a panel shows; the editor that is opened next takes it. */
export function handOverPanel(panel: Panel, view: PanelView): void {
  handOver(ruleOfPanel(panel, view));
}
