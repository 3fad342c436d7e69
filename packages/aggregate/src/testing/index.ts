export { scenario } from './arbitraries.ts';
export { type AnswerLine, differences } from './compare.ts';
export { questions } from './questions.ts';
export { evaluate, type ReferencePoint, seriesMatches } from './reference.ts';
