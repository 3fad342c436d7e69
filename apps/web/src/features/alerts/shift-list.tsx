import type { Shift } from '@nowcast/contract';
import { spanInWords } from './when-words.ts';

export function nameOf(shift: Pick<Shift, 'name'>): string {
  return shift.name === '' ? 'Somebody who has left' : shift.name;
}

export function ShiftList({ shifts, tz }: { shifts: readonly Shift[]; tz: string }) {
  return (
    <ol className="divide-y divide-line text-sm" aria-label="Next shifts">
      {shifts.map((shift) => (
        <li key={shift.from} className="flex flex-wrap items-baseline justify-between gap-x-4 py-1.5">
          <span className="font-medium break-words">
            {nameOf(shift)}
            {shift.override && <span className="chip ms-2 h-5">covers</span>}
          </span>
          <span className="text-muted">{spanInWords(shift, tz)}</span>
        </li>
      ))}
    </ol>
  );
}
