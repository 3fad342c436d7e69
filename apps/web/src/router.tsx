import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { meQuery } from './api/queries.ts';
import { readBoardSearch } from './features/board/board-search.ts';
import { readExploreSearch } from './features/explore/explore-search.ts';
import { AppShell } from './features/shell/app-shell.tsx';
import { NotFound, ScreenError } from './features/shell/screen-error.tsx';
import { applyPreferences } from './theme/theme.ts';

/** Every screen is a chunk of its own: what is not opened is not downloaded. */
const root = createRootRouteWithContext<{ queries: QueryClient }>()({ component: Outlet });

const setup = createRoute({
  getParentRoute: () => root,
  path: '/setup',
  validateSearch: (raw: Record<string, unknown>): { token?: string } =>
    typeof raw['token'] === 'string' || typeof raw['token'] === 'number'
      ? { token: String(raw['token']) }
      : {},
  component: lazyRouteComponent(() => import('./features/setup/setup-page.tsx'), 'SetupPage'),
});

const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: AppShell,
  errorComponent: ScreenError,
  beforeLoad: async ({ context }) => {
    // Before the first frame: nothing is drawn in one theme or language and then in another.
    applyPreferences((await context.queries.ensureQueryData(meQuery)).preferences);
  },
});

const home = createRoute({
  getParentRoute: () => app,
  path: '/',
  component: lazyRouteComponent(() => import('./features/home/home-page.tsx'), 'HomePage'),
});
const boards = createRoute({
  getParentRoute: () => app,
  path: '/boards',
  component: lazyRouteComponent(() => import('./features/boards/boards-page.tsx'), 'BoardsPage'),
});
const board = createRoute({
  getParentRoute: () => app,
  path: '/boards/$boardId',
  validateSearch: readBoardSearch,
  component: lazyRouteComponent(() => import('./features/board/board-page.tsx'), 'BoardPage'),
});
const explore = createRoute({
  getParentRoute: () => app,
  path: '/explore',
  validateSearch: readExploreSearch,
  component: lazyRouteComponent(() => import('./features/explore/explore-page.tsx'), 'ExplorePage'),
});
const alerts = createRoute({
  getParentRoute: () => app,
  path: '/alerts',
  validateSearch: ({ state }: Record<string, unknown>): { state?: 'acknowledged' | 'resolved' } =>
    state === 'acknowledged' || state === 'resolved' ? { state } : {},
  component: lazyRouteComponent(() => import('./features/alerts/inbox-page.tsx'), 'InboxPage'),
});
const alert = createRoute({
  getParentRoute: () => app,
  path: '/alerts/$alertId',
  component: lazyRouteComponent(() => import('./features/alerts/alert-page.tsx'), 'AlertPage'),
});
const rules = createRoute({
  getParentRoute: () => app,
  path: '/alerts/rules',
  component: lazyRouteComponent(() => import('./features/alerts/rules-page.tsx'), 'RulesPage'),
});
const newRule = createRoute({
  getParentRoute: () => app,
  path: '/alerts/rules/new',
  component: lazyRouteComponent(() => import('./features/alerts/rule-editor-page.tsx'), 'NewRulePage'),
});
const rule = createRoute({
  getParentRoute: () => app,
  path: '/alerts/rules/$ruleId',
  component: lazyRouteComponent(() => import('./features/alerts/rule-editor-page.tsx'), 'RulePage'),
});
const silences = createRoute({
  getParentRoute: () => app,
  path: '/alerts/silences',
  component: lazyRouteComponent(() => import('./features/alerts/silences-page.tsx'), 'SilencesPage'),
});
const onCall = createRoute({
  getParentRoute: () => app,
  path: '/alerts/on-call',
  component: lazyRouteComponent(() => import('./features/alerts/on-call-page.tsx'), 'OnCallPage'),
});
const maintenance = createRoute({
  getParentRoute: () => app,
  path: '/alerts/maintenance',
  component: lazyRouteComponent(() => import('./features/alerts/maintenance-page.tsx'), 'MaintenancePage'),
});
const inhibitions = createRoute({
  getParentRoute: () => app,
  path: '/alerts/inhibitions',
  component: lazyRouteComponent(() => import('./features/alerts/inhibitions-page.tsx'), 'InhibitionsPage'),
});
const channels = createRoute({
  getParentRoute: () => app,
  path: '/alerts/channels',
  component: lazyRouteComponent(() => import('./features/alerts/channels-page.tsx'), 'ChannelsPage'),
});
const notifications = createRoute({
  getParentRoute: () => app,
  path: '/alerts/notifications',
  component: lazyRouteComponent(
    () => import('./features/alerts/my-notifications-page.tsx'),
    'MyNotificationsPage',
  ),
});
const sources = createRoute({
  getParentRoute: () => app,
  path: '/sources',
  component: lazyRouteComponent(() => import('./features/sources/sources-page.tsx'), 'SourcesPage'),
});
const admin = createRoute({
  getParentRoute: () => app,
  path: '/admin',
  component: lazyRouteComponent(() => import('./features/admin/admin-page.tsx'), 'AdminPage'),
});
const profile = createRoute({
  getParentRoute: () => app,
  path: '/profile',
  component: lazyRouteComponent(() => import('./features/profile/profile-page.tsx'), 'ProfilePage'),
});
/** Whatever else: said inside the frame, so that the way on is at hand. */
const nowhere = createRoute({ getParentRoute: () => app, path: '$', component: NotFound });
/** Addresses that people type. */
const dashboards = createRoute({
  getParentRoute: () => root,
  path: '/dashboards',
  beforeLoad: () => {
    throw redirect({ to: '/boards' });
  },
});

const alerting = [
  alerts,
  alert,
  rules,
  newRule,
  rule,
  onCall,
  silences,
  maintenance,
  inhibitions,
  channels,
  notifications,
] as const;

const tree = root.addChildren([
  setup,
  dashboards,
  app.addChildren([home, boards, board, explore, ...alerting, sources, admin, profile, nowhere]),
]);

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: 'intent',
    defaultPendingMs: 300,
    scrollRestoration: true,
    defaultNotFoundComponent: NotFound,
    defaultErrorComponent: ScreenError,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
