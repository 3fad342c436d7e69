import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Evaluation, RuleContent, RulePreview } from '@nowcast/contract';
import { messageOf } from '../../api/http.ts';
import { slotCss } from '../../charts/palette.ts';
import { assignSlots, seriesName } from '../../live/series-name.ts';
import { describeAge } from '../../time/range.ts';
import { formatMoment } from '../../time/zone.ts';
import { formatValue } from '../../units/format.ts';
import { lacksNumber } from '../../ui/number-text.ts';
import { Skeleton } from '../../ui/states.tsx';
import { usePreferredZone } from '../shell/use-me.ts';
import { previewQuery } from './alert-queries.ts';
import { firingsOf } from './chart-scale.ts';
import type { Limit } from './limit-line.tsx';
import { RuleChart } from './rule-chart.tsx';
import { missingIn, unwatchedIn } from './rule-draft.ts';
import { InlineSelect } from './sentence-controls.tsx';
import { useRested } from '../../ui/use-rested.ts';

const shownFirings = 50;

const ranges = [
  { value: '1h', title: 'hour' },
  { value: '6h', title: '6 hours' },
  { value: '1d', title: '24 hours' },
  { value: '7d', title: '7 days' },
  { value: '30d', title: '30 days' },
] as const;
type Range = (typeof ranges)[number]['value'];

/** A history of minutes grows while somebody looks. */
const youngEachMs = 10_000;
const isYoung = ({ from, to, series }: RulePreview): boolean => series.length === 0 || to - from < 3_600_000;

/** The limits of a condition as lines, and on which side of each things are bad. */
export function limitsOf({ condition }: Evaluation): Limit[] {
  if (condition.kind !== 'threshold') return [];
  const { op, value, upper } = condition;
  if (upper === undefined || op === 'above' || op === 'below')
    return [{ id: 'value', title: 'Limit', value, bad: op === 'below' ? 'below' : 'above' }];
  const isOutside = op === 'outside';
  return [
    { id: 'value', title: 'Lower limit', value, bad: isOutside ? 'below' : 'above' },
    { id: 'upper', title: 'Upper limit', value: upper, bad: isOutside ? 'above' : 'below' },
  ];
}

/** The past under the rule: what it reads, where the limit stands, and how often it would have fired. */
export function RulePreviewCard({
  rule,
  onRule,
}: {
  rule: RuleContent;
  /** Null: it may only be read. */
  onRule: ((rule: RuleContent) => void) | null;
}) {
  const zone = usePreferredZone();
  const [range, setRange] = useState<Range>('7d');
  const { evaluation } = rule;
  const rested = useRested(evaluation);
  const missing = missingIn(rule);
  const preview = useQuery({
    ...previewQuery(rested, range),
    enabled: missing === null && missingIn({ ...rule, evaluation: rested }) === null,
    refetchInterval: ({ state: { data } }) => data !== undefined && isYoung(data) && youngEachMs,
  });
  const unwatched = unwatchedIn(evaluation);
  if (unwatched !== null) return <p className="card p-6 text-center text-muted">{unwatched}</p>;
  const setLimit = (id: Limit['id'], value: number): void => {
    const { condition } = evaluation;
    if (condition.kind === 'threshold')
      onRule?.({ ...rule, evaluation: { ...evaluation, condition: { ...condition, [id]: value } } });
  };
  return (
    <section className="card p-4" aria-label="What it would have done">
      <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-2">
        <p aria-live="polite" className="text-base font-semibold">
          {missing ?? (preview.data === undefined ? 'Computing…' : firedInWords(preview.data))}
        </p>
        {missing === null && <span className="text-sm text-muted">in the last</span>}
        <InlineSelect label="Range of the past" value={range} choices={ranges} onValue={setRange} />
      </div>
      {preview.isError && (
        <p role="alert" className="mb-2 text-sm text-crit">
          {messageOf(preview.error)}
        </p>
      )}
      {preview.data === undefined ? (
        !preview.isError && <Skeleton className="h-60" />
      ) : (
        <div className={preview.isPlaceholderData ? 'opacity-60' : undefined}>
          <RuleChart
            preview={preview.data}
            limits={limitsOf(evaluation).filter((limit) => !lacksNumber(limit))}
            severity={rule.severity}
            unit={rule.unit}
            zone={zone}
            onLimit={onRule && setLimit}
          />
          <Legend preview={preview.data} />
          <Notes preview={preview.data} zone={zone} />
          <Firings preview={preview.data} unit={rule.unit} zone={zone} />
        </div>
      )}
    </section>
  );
}

function firedInWords({ fired, series }: RulePreview): string {
  if (series.length === 0) return 'No data';
  if (fired === 0) return 'Would not have fired';
  return fired === 1 ? 'Would have fired once' : `Would have fired ${fired} times`;
}

/** What of the range could be tried, and how it is drawn. */
function Notes({ preview, zone }: { preview: RulePreview; zone: string }) {
  const { from, to, note } = preview;
  const age = describeAge(to - from);
  const notes = note === undefined ? [] : [`Tried since ${formatMoment(from, zone)}, ${age} ago: ${note}.`];
  if (preview.series.some(({ least }) => least !== undefined))
    notes.push('Shaded: from the lowest to the highest value between two points of the line.');
  return notes.map((note) => (
    <p key={note} className="mt-2 text-xs text-muted">
      {note}
    </p>
  ));
}

function Legend({ preview }: { preview: RulePreview }) {
  const named = assignSlots(
    preview.series.map(({ labels }, key) => ({
      key,
      labels,
      name: seriesName(labels),
      slot: 0,
      t: [],
      v: [],
    })),
  );
  if (named.length < 2) return null;
  return (
    <ul aria-label="Series" className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-xs">
      {named.map(({ key, name, slot }) => (
        <li key={key} className="flex max-w-full items-center gap-1.5">
          <span className="h-0.5 w-3 shrink-0" style={{ background: slotCss(slot) }} aria-hidden />
          <span className="truncate">{name === '' ? 'without labels' : name}</span>
        </li>
      ))}
      {preview.more > 0 && <li className="text-muted">{`and ${preview.more} more`}</li>}
    </ul>
  );
}

/** The same as a list, for those who read rather than look. */
function Firings({ preview, unit, zone }: { preview: RulePreview; unit: RuleContent['unit']; zone: string }) {
  const firings = preview.series
    .flatMap((series) => firingsOf(series).map((firing) => ({ ...firing, name: seriesName(series.labels) })))
    .toSorted((a, b) => b.from - a.from);
  if (firings.length === 0) return null;
  return (
    <details className="mt-3 text-sm">
      <summary className="cursor-pointer text-muted">When it would have fired</summary>
      <ul className="mt-2 max-h-60 divide-y divide-line overflow-y-auto">
        {firings.slice(0, shownFirings).map(({ from, to, value, name }) => (
          <li key={`${from} ${name}`} className="flex flex-wrap gap-x-4 py-1.5">
            <span>{formatMoment(from, zone)}</span>
            <span className="font-medium">{name}</span>
            <span>{formatValue(value, unit)}</span>
            <span className="text-muted">
              {to === null ? 'until the end' : `for ${describeAge(to - from)}`}
            </span>
          </li>
        ))}
      </ul>
      {firings.length > shownFirings && (
        <p className="mt-1 text-xs text-muted">{`The newest ${shownFirings} of ${firings.length}.`}</p>
      )}
    </details>
  );
}
