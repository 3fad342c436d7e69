import { Plus, X } from 'lucide-react';
import { useRef, useState } from 'react';
import type { Panel } from '@nowcast/contract';
import { Button } from '../../ui/button.tsx';
import { SelectInput } from '../../ui/field.tsx';
import { NumberInput } from './number-input.tsx';

type Display = Panel['display'];
type Threshold = Display['thresholds'][number];

/**
 * Keys that rows without a name keep while others before them go. Rows that come or go elsewhere (Undo) are taken to do
 * so at the end; their fields read the values again.
 */
function useRowKeys(count: number) {
  const [keys, setKeys] = useState<readonly number[]>([]);
  let all = keys;
  if (keys.length !== count) {
    const next = Math.max(-1, ...keys) + 1;
    const added = Array.from({ length: Math.max(0, count - keys.length) }, (_, i) => next + i);
    all = [...keys.slice(0, count), ...added];
    setKeys(all);
  }
  return { keys: all, dropKey: (at: number) => setKeys(all.filter((_, i) => i !== at)) };
}

function ThresholdRow({
  name,
  threshold,
  onThreshold,
  onRemove,
}: {
  /** Its place, from 1. */
  name: number;
  threshold: Threshold;
  onThreshold: (threshold: Threshold) => void;
  onRemove: () => void;
}) {
  return (
    <div className="flex items-start gap-2">
      <SelectInput
        label={`Level ${name}`}
        hideLabel
        className="w-32"
        value={threshold.level}
        choices={[
          { value: 'warn', title: 'Warning' },
          { value: 'crit', title: 'Critical' },
        ]}
        onValue={(level) => onThreshold({ ...threshold, level })}
      />
      <div className="min-w-0 flex-1">
        <NumberInput
          label={`Value ${name}`}
          hideLabel
          value={threshold.value}
          onNumber={(value = Number.NaN) => onThreshold({ ...threshold, value })}
        />
      </div>
      <Button variant="ghost" icon aria-label={`Remove threshold ${name}`} onPress={onRemove}>
        <X size={15} aria-hidden />
      </Button>
    </div>
  );
}

/** Values from which on a panel warns. */
export function Thresholds({
  display,
  onDisplay,
}: {
  display: Display;
  onDisplay: (display: Display, tag: string) => void;
}) {
  const { thresholds } = display;
  const box = useRef<HTMLFieldSetElement>(null);
  const { keys, dropKey } = useRowKeys(thresholds.length);
  const set = (next: Display['thresholds'], tag = ''): void =>
    onDisplay({ ...display, thresholds: next }, tag);
  const remove = (at: number): void => {
    dropKey(at);
    set(thresholds.filter((_, i) => i !== at));
    // The button under the hand goes with its row; Tab and Esc go on from here.
    box.current?.focus();
  };
  return (
    <fieldset ref={box} tabIndex={-1} className="outline-none">
      <legend className="label">Thresholds</legend>
      <div className="flex flex-col gap-2">
        {thresholds.map((threshold, i) => (
          <ThresholdRow
            key={keys[i]}
            name={i + 1}
            threshold={threshold}
            onThreshold={(next) =>
              set(
                thresholds.map((one, at) => (at === i ? next : one)),
                next.level === threshold.level ? `threshold ${keys[i]}` : '',
              )
            }
            onRemove={() => remove(i)}
          />
        ))}
        <Button
          variant="ghost"
          className="self-start"
          isDisabled={thresholds.length >= 10}
          onPress={() =>
            set([...thresholds, { value: 80, level: thresholds.length === 0 ? 'warn' : 'crit' }])
          }
        >
          <Plus size={15} aria-hidden />
          Add threshold
        </Button>
      </div>
    </fieldset>
  );
}
