import { useRef } from 'react';
import type { Panel, PointRecord } from '@nowcast/contract';
import type { ViewStore } from '../live/view-store.ts';
import { rangeEnds, type TimeRange } from '../time/range.ts';
import { formatClock, formatDay, startOfDay, type ZoneName } from '../time/zone.ts';
import { formatValue } from '../units/format.ts';
import { useFigure } from './use-figure.ts';

/** Latest first. Written as text nodes: messages are other people's words. */
function buildItem(
  point: PointRecord,
  display: Panel['display'],
  zone: ZoneName,
  nowMs: number,
): HTMLLIElement {
  const item = document.createElement('li');
  const time = document.createElement('time');
  time.dateTime = new Date(point.timestamp).toISOString();
  const today = startOfDay(point.timestamp, zone) === startOfDay(nowMs, zone);
  const clock = formatClock(point.timestamp, zone);
  time.textContent = today ? clock : `${formatDay(point.timestamp, zone, nowMs)} ${clock}`;
  const text = document.createElement('span');
  text.textContent = point.message ?? point.metric_type;
  const value = document.createElement('b');
  value.textContent = formatValue(point.value, display.unit, display.decimals);
  item.append(time, text, value);
  const parts = Object.entries(point.labels).map(([name, label]) => `${name}=${label}`);
  if (point.actor !== undefined) parts.unshift(point.actor);
  if (point.source !== '') parts.unshift(point.source);
  if (parts.length > 0) {
    const details = document.createElement('small');
    details.textContent = parts.join(' · ');
    item.append(details);
  }
  return item;
}

/** Makes `list` hold `items`. Those that stay are not touched: to put them in again would take a selection away. */
function putItems(list: HTMLElement, items: ReadonlySet<Element>): void {
  for (const old of list.querySelectorAll('li')) if (!items.has(old)) old.remove();
  let place = list.firstElementChild;
  for (const item of items) {
    if (item === place) place = place.nextElementSibling;
    else list.insertBefore(item, place);
  }
}

/** The list as it was last drawn: most of it is there again the next time. */
interface Items {
  writtenFor: string;
  /** From then on other times are those of today. */
  dayEndsMs: number;
  byId: ReadonlyMap<string, HTMLLIElement>;
}

export function Feed({
  store,
  range,
  display,
  zone,
  title,
}: {
  store: ViewStore;
  range: TimeRange;
  display: Panel['display'];
  zone: ZoneName;
  title: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const items = useRef<Items>({ writtenFor: '', dayEndsMs: 0, byId: new Map() });
  const draw = (nowMs: number): void => {
    const dayEndsMs = startOfDay(nowMs, zone, 1);
    // What an item says besides its point: another unit, another zone or a new day ("today" is over) writes all anew.
    const writtenFor = JSON.stringify([display, zone, dayEndsMs]);
    const known = items.current.writtenFor === writtenFor ? items.current.byId : new Map<string, never>();
    const next = new Map<string, HTMLLIElement>();
    const { from } = rangeEnds(range, nowMs);
    for (const point of store.points.toReversed()) {
      if (point.timestamp < from) break;
      next.set(point.data_id, known.get(point.data_id) ?? buildItem(point, display, zone, nowMs));
    }
    items.current = { writtenFor, dayEndsMs, byId: next };
    if (list.current !== null) putItems(list.current, new Set(next.values()));
  };
  const holds = (_drawnAtMs: number, nowMs: number): boolean =>
    range.kind === 'fixed' && nowMs < items.current.dayEndsMs;
  useFigure(box, { store, range }, 250, JSON.stringify([display, zone]), draw, holds);
  return (
    <div
      ref={box}
      className="h-full overflow-y-auto"
      tabIndex={0}
      role="group"
      aria-label={`${title}: latest messages`}
    >
      <ul ref={list} className="feed" />
    </div>
  );
}
