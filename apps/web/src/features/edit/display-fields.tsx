import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import { chartTypes, unitNames, type ChartType, type Panel } from '@nowcast/contract';
import { unitTitles } from '../../units/format.ts';
import { Button } from '../../ui/button.tsx';
import { Check, SelectInput, TextInput } from '../../ui/field.tsx';
import { ChartIcon } from '../board/chart-icon.tsx';
import { chartTitles, minimumHeight } from '../board/board-content.ts';

interface DisplayFieldsProps {
  panel: Panel;
  onChange: (panel: Panel, tag: string) => void;
}

type Display = Panel['display'];

/** A number that may be absent; what cannot be read yet is kept as typed. */
function OptionalNumber({
  label,
  value,
  onNumber,
  ...rest
}: {
  label: string;
  value: number | undefined;
  onNumber: (value: number | undefined) => void;
  placeholder?: string;
  min?: number;
  max?: number;
}) {
  const [text, setText] = useState(value === undefined ? '' : String(value));
  return (
    <TextInput
      {...rest}
      label={label}
      inputMode="decimal"
      value={text}
      error={text !== '' && Number.isNaN(Number(text)) ? 'Not a number' : ''}
      onValue={(next) => {
        setText(next);
        const number = Number(next);
        if (next.trim() === '') onNumber(undefined);
        else if (Number.isFinite(number)) onNumber(number);
      }}
    />
  );
}

function withNumber(display: Display, key: 'min' | 'max' | 'decimals', value: number | undefined): Display {
  const next = { ...display };
  if (value === undefined) delete next[key];
  else next[key] = value;
  return next;
}

function Thresholds({ display, onDisplay }: { display: Display; onDisplay: (display: Display) => void }) {
  const { thresholds } = display;
  const set = (next: Display['thresholds']): void => onDisplay({ ...display, thresholds: next });
  return (
    <fieldset>
      <legend className="label">Thresholds</legend>
      <div className="flex flex-col gap-2">
        {thresholds.map((threshold, i) => (
          <div key={i} className="flex items-end gap-2">
            <SelectInput
              label={`Level ${i + 1}`}
              hideLabel
              className="w-32"
              value={threshold.level}
              choices={[
                { value: 'warn', title: 'Warning' },
                { value: 'crit', title: 'Critical' },
              ]}
              onValue={(level) => set(thresholds.map((one, at) => (at === i ? { ...one, level } : one)))}
            />
            <div className="min-w-0 flex-1">
              <OptionalNumber
                label={`Value ${i + 1}`}
                value={threshold.value}
                onNumber={(value) =>
                  value !== undefined &&
                  set(thresholds.map((one, at) => (at === i ? { ...one, value } : one)))
                }
              />
            </div>
            <Button
              variant="ghost"
              icon
              aria-label={`Remove threshold ${i + 1}`}
              onPress={() => set(thresholds.filter((_, at) => at !== i))}
            >
              <X size={15} aria-hidden />
            </Button>
          </div>
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

/** How the lines look. */
export function DisplayFields({ panel, onChange }: DisplayFieldsProps) {
  const { layout } = panel;
  const choose = (chart: ChartType): void =>
    onChange(
      { ...panel, chart_type: chart, layout: { ...layout, h: Math.max(layout.h, minimumHeight(chart)) } },
      '',
    );
  return (
    <>
      <div role="radiogroup" aria-label="Chart" className="grid grid-cols-3 gap-2">
        {chartTypes.map((chart) => (
          <button
            key={chart}
            type="button"
            role="radio"
            aria-checked={panel.chart_type === chart}
            className={`flex h-16 cursor-pointer flex-col items-center justify-center gap-1 rounded-md border text-xs ${
              panel.chart_type === chart
                ? 'border-accent bg-accent/15 font-semibold'
                : 'border-line text-muted hover:border-control hover:text-text'
            }`}
            onClick={() => choose(chart)}
          >
            <ChartIcon kind={chart} size={20} />
            {chartTitles[chart]}
          </button>
        ))}
      </div>
      {panel.chart_type !== 'alerts' && <ValueFields panel={panel} onChange={onChange} />}
    </>
  );
}

/** How values are written and judged. */
function ValueFields({ panel, onChange }: DisplayFieldsProps) {
  const { display } = panel;
  const set = (next: Display, tag = ''): void => onChange({ ...panel, display: next }, tag);
  return (
    <>
      <SelectInput
        label="Unit"
        value={display.unit}
        choices={unitNames.map((value) => ({ value, title: unitTitles[value] }))}
        onValue={(unit) => set({ ...display, unit })}
      />
      <div className="grid grid-cols-3 gap-3">
        <OptionalNumber
          label="Lowest"
          placeholder="auto"
          value={display.min}
          onNumber={(value) => set(withNumber(display, 'min', value), 'min')}
        />
        <OptionalNumber
          label="Highest"
          placeholder="auto"
          value={display.max}
          onNumber={(value) => set(withNumber(display, 'max', value), 'max')}
        />
        <SelectInput
          label="Decimals"
          value={display.decimals === undefined ? '' : String(display.decimals)}
          choices={[
            { value: '', title: 'auto' },
            ...['0', '1', '2', '3', '4'].map((value) => ({ value, title: value })),
          ]}
          onValue={(value) => set(withNumber(display, 'decimals', value === '' ? undefined : Number(value)))}
        />
      </div>
      <SelectInput
        label="Legend"
        value={display.legend}
        choices={[
          { value: 'list', title: 'Names and last values' },
          { value: 'table', title: 'Table: last, min, max, avg' },
          { value: 'none', title: 'None' },
        ]}
        onValue={(legend) => set({ ...display, legend })}
      />
      <Thresholds display={display} onDisplay={(next) => set(next, 'thresholds')} />
      <Check
        label="Show amounts per second"
        checked={display.per_second === true}
        onChecked={(perSecond) => set({ ...display, per_second: perSecond })}
      />
      <Check
        label="Draw lines across gaps"
        checked={display.connect_gaps}
        onChecked={(connect) => set({ ...display, connect_gaps: connect })}
      />
    </>
  );
}
