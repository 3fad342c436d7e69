import { expect, it } from 'vitest';
import { placeOf } from './notification-place.ts';

it('a notification leads to its alert, to the inbox when it speaks of several, else to its rule', () => {
  expect(placeOf({ alert_ids: ['a'], rule_id: 'r' })).toMatchObject({ params: { alertId: 'a' } });
  expect(placeOf({ alert_ids: ['a', 'b'], rule_id: 'r' })).toEqual({ to: '/alerts' });
  expect(placeOf({ alert_ids: [], rule_id: 'r' })).toMatchObject({ params: { ruleId: 'r' } });
  expect(placeOf({ alert_ids: [], rule_id: null })).toEqual({ to: '/alerts' });
});
