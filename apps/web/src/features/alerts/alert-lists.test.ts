import type { Alert, Severity } from '@nowcast/contract';
import { expect, test } from 'vitest';
import { readLoud, readPage, type Ask } from './alert-lists.ts';

type Stored = Pick<Alert, 'alert_id' | 'severity' | 'muted_by'>;

function some(count: number, severity: Severity, mutedBy: string | null = null): Stored[] {
  return Array.from({ length: count }, (_, i) => ({
    alert_id: `${severity} ${i}`,
    severity,
    muted_by: mutedBy,
  }));
}

/** Answers as the server does: in the order of `stored`, the newest first, whatever the severity. */
function asking(stored: readonly Stored[]): { ask: Ask; asked: string[] } {
  const asked: string[] = [];
  const ask: Ask = (severity, limit, cursor = '0') => {
    asked.push(severity);
    const found = stored.filter((alert) => severity.split(',').includes(alert.severity));
    const end = Number(cursor) + limit;
    const alerts = found.slice(Number(cursor), end) as Alert[];
    return Promise.resolve(end < found.length ? { alerts, cursor: `${end}` } : { alerts });
  };
  return { ask, asked };
}

const idsOf = (stored: readonly Stored[]): string[] => stored.map(({ alert_id: id }) => id);

test('a list that fits on one page is one request', async () => {
  const { ask, asked } = asking([...some(100, 'info'), ...some(100, 'critical')]);
  const page = await readPage(ask, 'firing', null);
  expect(page.alerts).toHaveLength(200);
  expect(page.next).toBeUndefined();
  expect(asked).toHaveLength(1);
});

test('a crowd of newer ones does not hide an older one that is worse: pages go down by severity, each alert once', async () => {
  const [infos, warnings, criticals] = [some(450, 'info'), some(250, 'warning'), some(1, 'critical')];
  const { ask } = asking([...infos, ...warnings, ...criticals]);
  const pages = [await readPage(ask, 'firing', null)];
  for (let next = pages[0]!.next; next !== undefined; next = pages.at(-1)!.next)
    pages.push(await readPage(ask, 'firing', next));
  expect(pages.map(({ alerts }) => alerts.length)).toEqual([200, 200, 200, 101]);
  expect(idsOf(pages.flatMap(({ alerts }) => alerts))).toEqual(idsOf([...criticals, ...warnings, ...infos]));
});

test('what is over stays in the order of time', async () => {
  const stored = [...some(200, 'info'), ...some(5, 'critical')];
  const { ask } = asking(stored);
  const first = await readPage(ask, 'resolved', null);
  const second = await readPage(ask, 'resolved', first.next!);
  expect(idsOf([...first.alerts, ...second.alerts])).toEqual(idsOf(stored));
  expect(second.next).toBeUndefined();
});

test('a crowd of muted criticals does not hide the one that nobody muted', async () => {
  const crowd = some(700, 'critical', 'Silenced: moving');
  const loud = { ...some(1, 'critical')[0]!, alert_id: 'loud' };
  expect(idsOf(await readLoud(asking([...crowd, loud]).ask))).toEqual(['loud']);
  expect(await readLoud(asking(crowd).ask)).toEqual([]);
});
