import type { Panel } from '@nowcast/contract';
import { handOver } from './draft-handover.ts';
import { ruleOfPanel } from './rule-draft.ts';

/** Begins a rule with what a panel shows; the editor that is opened next takes it. */
export function handOverPanel(panel: Panel, query: Parameters<typeof ruleOfPanel>[1]): void {
  handOver(ruleOfPanel(panel, query));
}
