export { ReferenceSystem } from './reference-system.ts';
export { type LogModelOptions, logModelSuite } from './suite.ts';
export type * from './system.ts';
