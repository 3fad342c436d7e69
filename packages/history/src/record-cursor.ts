import { appError, checkedTime } from '@nowcast/contract';

/**
 * The last record of a page: the next one begins behind it. A position counted from the start would shift whenever a
 * record arrives that belongs on a page already read.
 */
export interface RecordCursor {
  /** Event time and receipt time, epoch ms. */
  timestamp: number;
  receivedAt: number;
  dataId: string;
  /** Records of this very time up to here: how many to read past, if none arrived since. A hint that may be too low. */
  passed: number;
}

/** A client may write what it likes, and memory for so many is set aside: of more, more is read step by step. */
const mostPassed = 10_000;

/** Throws `query.invalid` for what no page ended with. */
export function parseCursor(text: string | undefined): RecordCursor | undefined {
  if (text === undefined) return undefined;
  const match = /^(-?\d+(?:\.\d+)?)~(-?\d+(?:\.\d+)?)~(\d{1,9})~(.+)$/su.exec(text);
  if (match === null)
    throw appError('query.invalid', 'the cursor is not one this server gave; leave it out to begin again');
  const [, timestamp, receivedAt, passed, dataId] = match;
  return {
    timestamp: checkedTime(Number(timestamp)),
    receivedAt: Number(receivedAt),
    passed: Math.min(Number(passed), mostPassed),
    dataId: dataId!,
  };
}

export function cursorText({ timestamp, receivedAt, passed, dataId }: RecordCursor): string {
  return `${timestamp}~${receivedAt}~${passed}~${dataId}`;
}

/** The order of pages and feeds alike: (time, receipt, id), which no flush, partition or restart can change. */
export function compareRecords(a: Omit<RecordCursor, 'passed'>, b: Omit<RecordCursor, 'passed'>): number {
  if (a.timestamp !== b.timestamp) return a.timestamp - b.timestamp;
  if (a.receivedAt !== b.receivedAt) return a.receivedAt - b.receivedAt;
  if (a.dataId === b.dataId) return 0;
  return a.dataId < b.dataId ? -1 : 1;
}
