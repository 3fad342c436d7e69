import { labelOf, type Matcher, type Severity, type Where } from '@nowcast/contract';
import { valueTest } from '@nowcast/head';
import type { AlertRow } from '@nowcast/ports';

export type AlertTest = (alert: Pick<AlertRow, 'labels' | 'ruleId'> & { severity: Severity }) => boolean;

/** Compiles matchers over an alert's labels, `rule` and `severity`. Throws `query.invalid` for a bad expression. */
export function alertTest(where: Where): AlertTest {
  const tests = Object.entries(where).map(([label, matcher]: [string, Matcher]) => ({
    label,
    accepts: valueTest(matcher),
  }));
  return (alert) => tests.every(({ label, accepts }) => accepts(valueOf(alert, label)));
}

function valueOf(alert: Parameters<AlertTest>[0], label: string): string {
  if (label === 'rule') return alert.ruleId;
  if (label === 'severity') return alert.severity;
  return labelOf(alert.labels, label);
}
