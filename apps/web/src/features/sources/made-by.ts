import type { ApiKey } from '@nowcast/contract';

/** Whose key it is, in words; one whose maker has left still works, and somebody should see that. */
export function madeBy(key: Pick<ApiKey, 'created_by' | 'created_by_name'>): string {
  if (key.created_by === '') return 'Made on the command line';
  return `Made by ${key.created_by_name || 'somebody who has left'}`;
}
