/**
 * The import ladder of docs/ARCHITECTURE.md. Everything here is an error: a rule that may be broken rots.
 */
const domains = 'ingest|live|history|alerts|access|dashboards';

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'kernel-imports-nothing',
      severity: 'error',
      from: { path: '^packages/kernel/src', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^packages/kernel/src', dependencyTypesNot: ['core'] },
    },
    {
      name: 'contract-is-browser-safe',
      severity: 'error',
      from: {
        path: '^packages/(kernel|contract|aggregate|client)/src',
        pathNot: '(\\.test\\.ts$|/testing/)',
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'domains-never-import-each-other',
      severity: 'error',
      from: { path: `^packages/(${domains})/`, pathNot: '(\\.test\\.ts$|/testing/)' },
      to: { path: `^packages/(${domains})/`, pathNot: '^packages/$1/' },
    },
    {
      name: 'domains-never-import-adapters',
      severity: 'error',
      from: {
        path: `^packages/(${domains}|kernel|contract|aggregate|ports|client|config)/`,
        pathNot: '(\\.test\\.ts$|/testing/)',
      },
      to: { path: '^packages/adapters/' },
    },
    {
      name: 'adapters-never-import-domains-or-each-other',
      severity: 'error',
      from: { path: '^packages/adapters/([^/]+)/', pathNot: '\\.test\\.ts$' },
      to: { path: `^packages/(${domains}|adapters/(?!$1/))` },
    },
    {
      name: 'only-the-composition-root-names-adapters',
      severity: 'error',
      from: {
        path: '^apps/server/src/',
        pathNot:
          '(^apps/server/src/(embedded|engine/(main|data-hold)|outgoing/|backup|meta/|cli/).*|\\.test\\.ts$)',
      },
      to: { path: '^packages/adapters/' },
    },
    {
      name: 'nobody-imports-apps',
      severity: 'error',
      from: { path: '^packages/' },
      to: { path: '^(apps|e2e|bench)/' },
    },
    {
      name: 'web-talks-only-through-the-client-and-the-contract',
      severity: 'error',
      from: { path: '^apps/web/src', pathNot: '\\.test\\.ts$' },
      to: { path: '^(packages/(?!client/|contract/|kernel/)|apps/server)' },
    },
    {
      name: 'no-undeclared',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '\\.css$|^virtual:|^vitest' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules|results)/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};
