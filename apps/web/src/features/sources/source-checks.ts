/** Why nothing arrives, or arrives and cannot be found: what is known about a source, as questions and answers. */
import type { SourceStatus } from '@nowcast/contract';
import { describeAge } from '../../time/range.ts';

export interface SourceCheck {
  id: 'key' | 'payload' | 'clock';
  state: 'ok' | 'warn' | 'crit' | 'unknown';
  question: string;
  answer: string;
}

/** Clocks of machines that keep time differ by less. */
const skewMs = 30_000;

export function checksOf(
  status: SourceStatus | null,
  { lastUsedAt, nowMs, address }: { lastUsedAt: number | null; nowMs: number; address: string },
): SourceCheck[] {
  return [keyCheck(status, lastUsedAt, nowMs, address), payloadCheck(status), clockCheck(status)];
}

function keyCheck(
  status: SourceStatus | null,
  lastUsedAt: number | null,
  nowMs: number,
  address: string,
): SourceCheck {
  const seen = Math.max(lastUsedAt ?? 0, status?.last_seen_at ?? 0, status?.last_error?.at ?? 0);
  const question = 'Was the key used?';
  if (seen > 0) {
    return { id: 'key', state: 'ok', question, answer: `Yes, ${describeAge(nowMs - seen)} ago.` };
  }
  const answer = `Not yet. Was the snippet run, and can that machine reach ${address}? Open the address there to see. A key that was copied only in part is refused with 401.`;
  return { id: 'key', state: 'warn', question, answer };
}

function payloadCheck(status: SourceStatus | null): SourceCheck {
  const question = 'Was anything rejected?';
  const error = status?.last_error ?? null;
  if (error !== null && (status?.last_seen_at ?? 0) > error.at) {
    return { id: 'payload', state: 'warn', question, answer: `Earlier: ${error.message}` };
  }
  if (error !== null) return { id: 'payload', state: 'crit', question, answer: `Yes: ${error.message}` };
  if (status === null || status.accepted === 0)
    return { id: 'payload', state: 'unknown', question, answer: 'Nothing has arrived that could be.' };
  return { id: 'payload', state: 'ok', question, answer: 'No.' };
}

function clockCheck(status: SourceStatus | null): SourceCheck {
  const question = 'Is its clock right?';
  const error = status?.last_error ?? null;
  const isNewest = error !== null && error.at >= (status?.last_seen_at ?? 0);
  if (isNewest && /\bthe timestamp (is|lies)\b/.test(error.message)) {
    return { id: 'clock', state: 'crit', question, answer: 'A timestamp was refused, see above.' };
  }
  const sample = status?.sample ?? null;
  if (sample?.received_at === undefined) {
    const answer =
      'Known with the first point. Points more than five minutes ahead of the server are refused.';
    return { id: 'clock', state: 'unknown', question, answer };
  }
  const ahead = sample.timestamp - sample.received_at;
  if (Math.abs(ahead) < skewMs) {
    return { id: 'clock', state: 'ok', question, answer: 'Yes, it agrees with the server’s.' };
  }
  const where = ahead > 0 ? 'ahead of' : 'behind';
  const answer = `The newest point is dated ${describeAge(Math.abs(ahead))} ${where} the server’s clock. Unless that is meant, check the sender’s clock and the unit of its timestamps; charts of the last minutes do not show it.`;
  return { id: 'clock', state: 'warn', question, answer };
}
