import { appError, bothWhere, type Query, type QueryInput, querySchema } from '@nowcast/contract';
import { type Visualization, type DashboardService, defaultsFor } from '@nowcast/dashboards';
import type { Engine } from '@nowcast/ports';
import { jsonAnswer, noBody, type Route, route } from '../http/route.ts';
import { validate } from '../http/schema.ts';

/** A panel with its data in one answer, for programs that embed a chart. */
export function visualizationRoutes(boards: DashboardService, engine: Engine): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/visualizations/:visualization_id',
        access: 'board.read',
        body: noBody,
        summary: 'Read one panel with the data it shows',
        parameters: { board_id: 'The board it is on; absent: any board that has it' },
        answers: {
          200: '{visualization_id, user_id, metric_type, chart_type, data: DataAnswer, last_updated}',
        },
      },
      async (call) => {
        const boardId = call.query.get('board_id') ?? undefined;
        const found = await boards.visualization(call.actor, call.params['visualization_id'] ?? '', boardId);
        if (found.panel.chart_type === 'alerts')
          throw appError('query.invalid', 'This panel lists alerts and has no data; read GET /api/v1/alerts');
        const { tenant_id } = call.actor;
        const known = await engine.labels(tenant_id, found.panel.metric_type, {}, 1);
        const carried = new Set(['source', ...known.map(({ label }) => label)]);
        const data = await engine.data(tenant_id, queryOf(found, carried), call.signal);
        return jsonAnswer(200, {
          visualization_id: found.panel.visualization_id,
          user_id: found.board.user_id,
          metric_type: found.panel.metric_type,
          chart_type: found.panel.chart_type,
          data,
          last_updated: found.board.last_updated,
        });
      },
    ),
  ];
}

/** What the panel shows on its board: what satisfies its own filters and the variables of labels its series carry. */
function queryOf({ board, panel }: Visualization, carried: ReadonlySet<string>): Query {
  const defaults = defaultsFor(panel.metric_type);
  const chosen = board.variables.filter(({ label, selected }) => selected.length > 0 && carried.has(label));
  const where = bothWhere(
    panel.query.where,
    ...chosen.map(({ label, selected }) => Object.fromEntries([[label, selected]])),
  );
  const input: QueryInput = {
    metric_type: panel.metric_type,
    agg: panel.chart_type === 'feed' ? 'none' : (panel.query.agg ?? defaults.default_agg),
    across: panel.query.across ?? defaults.default_across,
    group_by: panel.query.group_by,
    where,
    window: panel.query.window ?? board.window,
    ...(panel.query.step === undefined ? {} : { step: panel.query.step }),
    ...(panel.query.limit === undefined ? {} : { limit: panel.query.limit }),
    ...(panel.query.order === undefined ? {} : { order: panel.query.order }),
  };
  return validate(querySchema, input, 'query.invalid');
}
