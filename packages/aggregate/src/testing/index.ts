export { type AnswerLine, differences } from './compare.ts';
export {
  evaluate,
  type ReferenceCell,
  type ReferenceLine,
  type ReferencePoint,
  seriesMatches,
} from './reference.ts';
export { type Scenario, scenario } from './arbitraries.ts';
export { type Question, questions } from './questions.ts';
