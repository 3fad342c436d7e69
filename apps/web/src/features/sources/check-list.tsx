import { CircleAlert, CircleCheck, CircleDashed, TriangleAlert } from 'lucide-react';
import type { SourceCheck } from './source-checks.ts';

const looks = {
  ok: { icon: CircleCheck, tone: 'text-ok', name: 'fine' },
  warn: { icon: TriangleAlert, tone: 'text-warn', name: 'look at this' },
  crit: { icon: CircleAlert, tone: 'text-crit', name: 'problem' },
  unknown: { icon: CircleDashed, tone: 'text-nodata', name: 'not known yet' },
} as const;

export function CheckList({ checks }: { checks: readonly SourceCheck[] }) {
  return (
    <ul aria-label="Checks" className="flex flex-col gap-2 text-sm">
      {checks.map(({ id, state, question, answer }) => {
        const { icon: Icon, tone, name } = looks[state];
        return (
          <li key={id} className="flex items-start gap-2">
            <Icon size={16} className={`mt-0.5 shrink-0 ${tone}`} aria-label={name} />
            <span className="min-w-0">
              <span className="font-medium">{question}</span>{' '}
              <span className="break-words text-muted">{answer}</span>
            </span>
          </li>
        );
      })}
    </ul>
  );
}
