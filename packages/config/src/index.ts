export { type Command, commands, optionsOf } from './commands.ts';
export { commandPage, overviewPage } from './help.ts';
export type { OptionTable, Settings } from './option.ts';
export { backupOptions, exportOptions, importOptions, restoreOptions } from './transfer-options.ts';
export { keyOptions, serveOptions, setupOptions, userOptions } from './options.ts';
export { parseOptions } from './parse.ts';
