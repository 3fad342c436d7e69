import { useState } from 'react';
import type { Rule, RuleContent } from '@nowcast/contract';

/**
 * A rule while it is written. `start` is the newest content known, `stored` the rule it is of. `base` is the version
 * the draft was made from, and stays at it however often the rule is fetched again: the newest version known would let
 * a draft replace what it never held. A newer one is taken up only while nothing was changed; `rebase` is for one's own,
 * saved while the draft went on.
 */
export function useRuleDraft(start: RuleContent, stored: Rule | undefined) {
  const [made, setMade] = useState({ content: start, version: stored?.version });
  const [rule, setRule] = useState(start);
  const isDirty = rule !== made.content;
  if (!isDirty && stored?.version !== made.version) {
    setMade({ content: start, version: stored?.version });
    setRule(start);
  }
  const rebase = (content: RuleContent, version: number): void => setMade({ content, version });
  return { rule, setRule, isDirty, base: made.version, rebase };
}
