/** Options of several commands. */
export const dataDir = {
  kind: 'text',
  flag: 'data-dir',
  placeholder: 'DIR',
  defaultText:
    '$XDG_DATA_HOME/nowcast or ~/.local/share/nowcast; bin/start and bin/nowcast: .nowcast beside bin/',
  help: 'Where everything is kept: the log, the history, users and boards',
} as const;
