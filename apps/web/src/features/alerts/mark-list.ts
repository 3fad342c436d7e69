import type uPlot from 'uplot';
import type { Mark } from './alert-marks.ts';

/** Marks that stand at one place of the axis. */
export interface MarkGroup {
  marks: readonly Mark[];
  /** CSS pixels from the plot's left edge. */
  x: number;
  text: string;
}

const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };

/**
 * The buttons on a chart's time axis: one stop of the Tab key, arrows go from one to the next. Buttons are kept while
 * they move, so that focus stays on what it was on.
 */
export class MarkList {
  readonly #list = document.createElement('ul');
  readonly #onOpen: (marks: readonly Mark[]) => void;
  #groups: readonly MarkGroup[] = [];
  /** Id of the first mark of the button that has the tab stop; null: the newest. */
  #current: string | null = null;

  constructor(label: string, onOpen: (marks: readonly Mark[]) => void) {
    this.#onOpen = onOpen;
    this.#list.className = 'alert-marks';
    this.#list.setAttribute('aria-label', label);
    this.#list.addEventListener('keydown', this.#onKey);
    this.#list.addEventListener('focusin', ({ target }) => {
      this.#current = (target as HTMLElement).dataset['mark'] ?? null;
      this.#setStop();
    });
    this.#list.addEventListener('click', ({ target }) => {
      const button = (target as HTMLElement).closest('button');
      const group = this.#groups.find(({ marks }) => marks[0]?.id === button?.dataset['mark']);
      if (group !== undefined) this.#onOpen(group.marks);
    });
  }

  show(plot: uPlot, groups: readonly MarkGroup[]): void {
    const home = plot.over.parentElement;
    const { activeElement } = document;
    const focused = this.#list.contains(activeElement) ? (activeElement as HTMLElement) : null;
    this.#groups = groups;
    const old = new Map(
      [...this.#list.querySelectorAll('button')].map((button) => [button.dataset['mark'] ?? '', button]),
    );
    const items = groups.map((group) => {
      const button = old.get(group.marks[0]!.id) ?? newButton(group.marks[0]!.id);
      fill(button, group, plot.over.clientWidth);
      const item = button.parentElement as HTMLElement;
      item.style.left = `${plot.over.offsetLeft + group.x}px`;
      item.style.top = `${plot.over.offsetTop + plot.over.clientHeight}px`;
      return item;
    });
    const isSame =
      items.length === this.#list.children.length &&
      items.every((item, i) => item === this.#list.children[i]);
    if (!isSame) this.#list.replaceChildren(...items);
    // A list without entries is one that screen readers announce for nothing.
    this.#list.hidden = items.length === 0;
    if (home !== null && this.#list.parentElement !== home) home.append(this.#list);
    this.#setStop();
    if (focused !== null && this.#list.contains(focused) && document.activeElement !== focused)
      focused.focus({ preventScroll: true });
  }

  remove(): void {
    this.#list.remove();
  }

  get #buttons(): HTMLButtonElement[] {
    return [...this.#list.querySelectorAll('button')];
  }

  #setStop(): void {
    const buttons = this.#buttons;
    const stop = buttons.find((button) => button.dataset['mark'] === this.#current) ?? buttons.at(-1);
    for (const button of buttons) button.tabIndex = button === stop ? 0 : -1;
  }

  readonly #onKey = (event: KeyboardEvent): void => {
    const buttons = this.#buttons;
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const step = steps[event.key];
    const next =
      event.key === 'Home'
        ? 0
        : event.key === 'End'
          ? buttons.length - 1
          : step === undefined
            ? -1
            : at + step;
    // The chart below reads samples with the same keys.
    if (step !== undefined || event.key === 'Home' || event.key === 'End') {
      event.preventDefault();
      event.stopPropagation();
    }
    buttons[next]?.focus();
  };
}

function newButton(id: string): HTMLButtonElement {
  const item = document.createElement('li');
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'alert-mark';
  button.dataset['mark'] = id;
  button.append(document.createElement('b'), document.createElement('span'));
  button.lastElementChild!.className = 'chart-tooltip';
  button.lastElementChild!.setAttribute('aria-hidden', 'true');
  item.append(button);
  return button;
}

/** Worst first: what a group of marks looks like. */
const kinds = ['fires', 'taken', 'over'] as const;

function fill(button: HTMLButtonElement, { marks, x, text }: MarkGroup, width: number): void {
  const shown = kinds.flatMap((kind) => marks.filter((mark) => mark.kind === kind))[0]!;
  const severities = new Set(marks.filter(({ kind }) => kind === 'fires').map(({ alert }) => alert.severity));
  const worst = (['critical', 'warning', 'info'] as const).find((severity) => severities.has(severity));
  button.dataset['kind'] = shown.kind;
  button.dataset['severity'] = worst ?? '';
  button.dataset['side'] = x > width / 2 ? 'end' : 'start';
  const count = marks.length > 1 ? String(marks.length) : '';
  if (button.dataset['count'] !== count) button.dataset['count'] = count;
  const tip = button.lastElementChild as HTMLElement;
  // To the middle of the chart at most, so that it never sticks out.
  tip.style.maxWidth = `${Math.min(280, width / 2)}px`;
  if (tip.textContent === text) return;
  tip.textContent = text;
  button.setAttribute('aria-label', text);
}
