import type { Panel } from '@nowcast/contract';
import type { StoredSeries } from '../live/stored-series.ts';
import type { ZoneName } from '../time/zone.ts';
import { formatValue } from '../units/format.ts';
import { describeBucket } from './describe-bucket.ts';
import { slotCss } from './palette.ts';

/** The hovered panel's tooltip: every series at the crosshair, sorted by value. Plain DOM: it moves with the mouse. */
export interface TooltipRow {
  series: StoredSeries;
  value: number | null | undefined;
}

/** The bucket under the crosshair. */
interface TooltipTime {
  time: number;
  end: number;
  stepMs: number;
  /** Its time is not over: more may come. */
  soFar: boolean;
}

const shownRows = 12;

export class Tooltip {
  readonly #root: HTMLDivElement;

  constructor(parent: HTMLElement) {
    this.#root = document.createElement('div');
    this.#root.className = 'chart-tooltip';
    this.#root.hidden = true;
    this.#root.setAttribute('aria-hidden', 'true');
    parent.append(this.#root);
  }

  hide(): void {
    this.#root.hidden = true;
  }

  remove(): void {
    this.#root.remove();
  }

  show(
    { time, end, stepMs, soFar }: TooltipTime,
    rows: readonly TooltipRow[],
    at: { left: number; top: number; width: number },
    spec: { display: Panel['display']; zone: ZoneName; fallbackName: string },
  ): void {
    const head = document.createElement('div');
    head.className = 'chart-tooltip-time';
    head.textContent = `${describeBucket(time, end, stepMs, spec.zone)}${soFar ? ' · so far' : ''}`;
    const sorted = rows
      .filter((row) => row.value !== undefined)
      .sort((a, b) => (b.value ?? Number.NEGATIVE_INFINITY) - (a.value ?? Number.NEGATIVE_INFINITY));
    const lines = sorted.slice(0, shownRows).map((row) => line(row, spec));
    if (sorted.length === 0) lines.push(note('no data'));
    if (sorted.length > shownRows) lines.push(note(`and ${sorted.length - shownRows} more`));
    this.#root.replaceChildren(head, ...lines);
    this.#root.hidden = false;
    const right = at.left > at.width / 2;
    const { style } = this.#root;
    style.insetInlineStart = right ? 'auto' : `${at.left + 16}px`;
    style.insetInlineEnd = right ? `${at.width - at.left + 16}px` : 'auto';
    style.top = `${Math.max(0, at.top)}px`;
  }
}

function note(text: string): HTMLElement {
  const element = document.createElement('div');
  element.className = 'chart-tooltip-note';
  element.textContent = text;
  return element;
}

function line(row: TooltipRow, spec: { display: Panel['display']; fallbackName: string }): HTMLElement {
  const element = document.createElement('div');
  element.className = 'chart-tooltip-row';
  const swatch = document.createElement('i');
  swatch.style.background = slotCss(row.series.slot);
  const name = document.createElement('span');
  name.textContent = row.series.name === '' ? spec.fallbackName : row.series.name;
  const value = document.createElement('b');
  value.textContent =
    row.value === null ? 'no data' : formatValue(row.value, spec.display.unit, spec.display.decimals);
  element.append(swatch, name, value);
  return element;
}
