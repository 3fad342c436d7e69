import type { Shift } from '@nowcast/contract';

/** Shifts as people see them: who goes on for another week has not handed over. */
export function handovers(shifts: readonly Shift[]): Shift[] {
  const joined: Shift[] = [];
  for (const shift of shifts) {
    const last = joined.at(-1);
    if (last?.user_id === shift.user_id && last.override === shift.override)
      joined[joined.length - 1] = { ...last, to: shift.to };
    else joined.push(shift);
  }
  return joined;
}
