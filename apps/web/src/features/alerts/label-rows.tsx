import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/button.tsx';

interface Row {
  key: number;
  label: string;
  value: string;
}

let lastKey = 0;
const mostLabels = 16;

const rowsOf = (labels: Readonly<Record<string, string>>): readonly Row[] =>
  Object.entries(labels).map(([label, value]) => ({ key: ++lastKey, label, value }));

function labelsOf(rows: readonly Row[]): Record<string, string> {
  const whole = rows.filter(({ label, value }) => label.trim() !== '' && value.trim() !== '');
  return Object.fromEntries(whole.map(({ label, value }) => [label.trim(), value.trim()]));
}

function sayTheSame(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const labels = Object.keys(one);
  return labels.length === Object.keys(other).length && labels.every((label) => one[label] === other[label]);
}

/** Labels that a rule gives its alerts; half written ones are not given. */
export function LabelRows({
  labels,
  onLabels,
}: {
  labels: Readonly<Record<string, string>>;
  onLabels: (labels: Record<string, string>) => void;
}) {
  const [rows, setRows] = useState(() => rowsOf(labels));
  const [seen, setSeen] = useState(labels);
  if (labels !== seen) {
    setSeen(labels);
    // Not what was written here: a newer version of the rule.
    if (!sayTheSame(labels, labelsOf(rows))) setRows(rowsOf(labels));
  }
  const put = (next: readonly Row[]): void => {
    setRows(next);
    onLabels(labelsOf(next));
  };
  const change = (key: number, part: Partial<Row>): void =>
    put(rows.map((row) => (row.key === key ? { ...row, ...part } : row)));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="label">Labels</legend>
      <p className="text-xs text-muted">
        Carried by its alerts beside those of their group; silences, maintenance and inhibitions match on
        them.
      </p>
      {rows.map(({ key, label, value }, i) => (
        <div key={key} className="flex items-center gap-2" role="group" aria-label={`Label ${i + 1}`}>
          <input
            type="text"
            aria-label="Name"
            className="field min-w-0 flex-1"
            placeholder="team"
            maxLength={128}
            autoComplete="off"
            spellCheck={false}
            value={label}
            onChange={(event) => change(key, { label: event.target.value })}
          />
          <input
            type="text"
            aria-label="Value"
            className="field min-w-0 flex-1"
            placeholder="platform"
            maxLength={1024}
            autoComplete="off"
            spellCheck={false}
            value={value}
            onChange={(event) => change(key, { value: event.target.value })}
          />
          <Button
            variant="ghost"
            icon
            aria-label={`Remove label ${i + 1}`}
            onPress={() => put(rows.filter((row) => row.key !== key))}
          >
            <X size={15} aria-hidden />
          </Button>
        </div>
      ))}
      {rows.length < mostLabels && (
        <div>
          <Button size="small" onPress={() => setRows([...rows, { key: ++lastKey, label: '', value: '' }])}>
            <Plus size={14} aria-hidden />
            Add a label
          </Button>
        </div>
      )}
    </fieldset>
  );
}
