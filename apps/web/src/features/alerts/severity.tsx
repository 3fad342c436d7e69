import { Info, OctagonAlert, TriangleAlert } from 'lucide-react';
import type { AlertState, Severity } from '@nowcast/contract';

/** How bad something is: a shape and a word beside the colour. */
export const severityTitles: Record<Severity, string> = {
  info: 'Info',
  warning: 'Warning',
  critical: 'Critical',
};
export const severityChoices = (['info', 'warning', 'critical'] as const).map((value) => ({
  value,
  title: value,
}));

/** For what is drawn. */
export const severityTone: Record<Severity, string> = {
  info: 'var(--accent)',
  warning: 'var(--warn)',
  critical: 'var(--crit)',
};

const icons = { info: Info, warning: TriangleAlert, critical: OctagonAlert };
const tones = { info: 'text-accent', warning: 'text-warn', critical: 'text-crit' };

export function SeverityIcon({ severity, size = 18 }: { severity: Severity; size?: number }) {
  const Icon = icons[severity];
  return <Icon size={size} className={`shrink-0 ${tones[severity]}`} aria-hidden />;
}

export function SeverityText({ severity }: { severity: Severity }) {
  return <span className={`text-xs font-semibold ${tones[severity]}`}>{severityTitles[severity]}</span>;
}

export const stateTitles: Record<AlertState, string> = {
  pending: 'Pending',
  firing: 'Firing',
  acknowledged: 'Acknowledged',
  resolved: 'Resolved',
};
