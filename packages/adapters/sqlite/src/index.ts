export { SqliteMetaStore } from './sqlite-meta-store.ts';
