import type { RuleContent } from '@nowcast/contract';

/** What the editor begins with, on its way from a panel; an address would have to spell it. Null: from nothing. */
let draft: RuleContent | null = null;

export function handOver(rule: RuleContent | null): void {
  draft = rule;
}

export function handedOver(): RuleContent | null {
  return draft;
}
