export * from './alert-names.ts';
export * from './alert.ts';
export * from './condition.ts';
export * from './notification.ts';
export * from './policy.ts';
export * from './rule.ts';
export type * from './log-command.ts';
