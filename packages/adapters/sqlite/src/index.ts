export { copyDatabase } from './copy-database.ts';
export { SqliteMetaStore } from './sqlite-meta-store.ts';
