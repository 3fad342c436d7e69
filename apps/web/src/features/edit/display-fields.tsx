import { chartTypes, unitNames, type ChartType, type Panel } from '@nowcast/contract';
import { unitTitles } from '../../units/format.ts';
import { Check, SelectInput } from '../../ui/field.tsx';
import { ChartIcon } from '../board/chart-icon.tsx';
import { chartTitles, minimumHeight } from '../board/board-content.ts';
import { NumberInput } from './number-input.tsx';
import { Thresholds } from './thresholds-field.tsx';
import { wholePanel } from './whole-panel.ts';

interface DisplayFieldsProps {
  panel: Panel;
  onChange: (panel: Panel, tag: string) => void;
}

type Display = Panel['display'];

function withNumber(display: Display, key: 'min' | 'max' | 'decimals', value: number | undefined): Display {
  const next = { ...display };
  if (value === undefined) delete next[key];
  else next[key] = value;
  return next;
}

/** How the lines look. */
export function DisplayFields({ panel, onChange }: DisplayFieldsProps) {
  const choose = (chart: ChartType): void => {
    // What is written in a field that the chart does not have could not be mended.
    const kept = chart === 'alerts' ? wholePanel(panel) : panel;
    const h = Math.max(kept.layout.h, minimumHeight(chart));
    onChange({ ...kept, chart_type: chart, layout: { ...kept.layout, h } }, '');
  };
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
        <NumberInput
          label="Lowest"
          placeholder="auto"
          value={display.min}
          onNumber={(value) => set(withNumber(display, 'min', value), 'min')}
        />
        <NumberInput
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
      <Thresholds display={display} onDisplay={set} />
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
