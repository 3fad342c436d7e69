import { can } from '@nowcast/access';
import type { AlertService } from '@nowcast/alerts';
import {
  type Action,
  type Actor,
  channelContentSchema,
  inhibitionContentSchema,
  maintenanceContentSchema,
  scheduleContentSchema,
  silenceContentSchema,
} from '@nowcast/contract';
import { emptyAnswer, jsonAnswer, jsonBody, noBody, type Route, route } from '../http/route.ts';
import type { Infer, Schema } from '../http/schema.ts';
import { withoutAddress } from './channel-address.ts';

/** One kind of setting of a tenant, as REST shows it. */
interface PolicyInfo<S extends Schema> {
  /** Path and name of the list in its answer. */
  collection: string;
  /** One of them, for people. */
  what: string;
  /** Type of one in the contract. */
  type: string;
  idName: string;
  schema: S;
  /** Who may make, change and delete. */
  write: Action;
  list: (actor: Actor) => Promise<readonly object[]>;
  create: (actor: Actor, content: Infer<S>) => Promise<object>;
  delete: (actor: Actor, id: string) => Promise<void>;
  deleteSummary: string;
  changeHint?: string;
}
type Update<S extends Schema> = (actor: Actor, id: string, content: Infer<S>) => Promise<object>;

/** What keeps alerts quiet, who is on call, and where messages go. */
export function alertPolicyRoutes(alerts: AlertService): Route[] {
  return [
    ...silenceRoutes(alerts),
    ...maintenanceRoutes(alerts),
    ...inhibitionRoutes(alerts),
    ...scheduleRoutes(alerts),
    ...channelRoutes(alerts),
  ];
}

function silenceRoutes(alerts: AlertService): Route[] {
  return collectionRoutes({
    collection: 'silences',
    what: 'a silence',
    type: 'Silence',
    idName: 'silence_id',
    schema: silenceContentSchema,
    write: 'alert.act',
    list: (actor) => alerts.listPolicies(actor, 'silence'),
    create: (actor, content) => alerts.createPolicy(actor, 'silence', content),
    delete: (actor, id) => alerts.deletePolicy(actor, 'silence', id),
    deleteSummary: 'End a silence now',
  });
}

function maintenanceRoutes(alerts: AlertService): Route[] {
  const info: PolicyInfo<typeof maintenanceContentSchema> = {
    collection: 'maintenance',
    what: 'a maintenance window',
    type: 'Maintenance',
    idName: 'maintenance_id',
    schema: maintenanceContentSchema,
    write: 'alert.manage',
    list: (actor) => alerts.listPolicies(actor, 'maintenance'),
    create: (actor, content) => alerts.createPolicy(actor, 'maintenance', content),
    delete: (actor, id) => alerts.deletePolicy(actor, 'maintenance', id),
    deleteSummary: 'Delete a maintenance window',
  };
  return [
    ...collectionRoutes(info),
    changeRoute(info, (actor, id, content) => alerts.updatePolicy(actor, 'maintenance', id, content)),
    route(
      {
        method: 'POST',
        path: '/api/v1/maintenance/preview',
        access: 'alert.manage',
        body: jsonBody(maintenanceContentSchema),
        summary: 'When a maintenance window would be open, without saving it',
        answers: { 200: '{upcoming: Span[]}' },
      },
      (call) => jsonAnswer(200, { upcoming: alerts.previewMaintenance(call.actor, call.body) }),
    ),
  ];
}

function inhibitionRoutes(alerts: AlertService): Route[] {
  const info: PolicyInfo<typeof inhibitionContentSchema> = {
    collection: 'inhibitions',
    what: 'an inhibition',
    type: 'Inhibition',
    idName: 'inhibition_id',
    schema: inhibitionContentSchema,
    write: 'alert.manage',
    list: (actor) => alerts.listPolicies(actor, 'inhibition'),
    create: (actor, content) => alerts.createPolicy(actor, 'inhibition', content),
    delete: (actor, id) => alerts.deletePolicy(actor, 'inhibition', id),
    deleteSummary: 'Delete an inhibition',
  };
  return [
    ...collectionRoutes(info),
    changeRoute(info, (actor, id, content) => alerts.updatePolicy(actor, 'inhibition', id, content)),
  ];
}

function scheduleRoutes(alerts: AlertService): Route[] {
  const info: PolicyInfo<typeof scheduleContentSchema> = {
    collection: 'schedules',
    what: 'an on-call schedule',
    type: 'Schedule',
    idName: 'schedule_id',
    schema: scheduleContentSchema,
    write: 'alert.manage',
    list: (actor) => alerts.listPolicies(actor, 'schedule'),
    create: (actor, content) => alerts.createPolicy(actor, 'schedule', content),
    delete: (actor, id) => alerts.deletePolicy(actor, 'schedule', id),
    deleteSummary: 'Delete an on-call schedule',
  };
  return [
    ...collectionRoutes(info),
    changeRoute(info, (actor, id, content) => alerts.updatePolicy(actor, 'schedule', id, content)),
    route(
      {
        method: 'POST',
        path: '/api/v1/schedules/preview',
        access: 'alert.manage',
        body: jsonBody(scheduleContentSchema),
        summary: 'Who would be on call by a schedule, without saving it',
        answers: { 200: '{shifts: Shift[]}' },
      },
      async (call) => jsonAnswer(200, { shifts: await alerts.previewSchedule(call.actor, call.body) }),
    ),
  ];
}

function channelRoutes(alerts: AlertService): Route[] {
  const info: PolicyInfo<typeof channelContentSchema> = {
    collection: 'channels',
    what: 'a channel',
    changeHint: '; an empty secret keeps the one it has',
    type: 'Channel',
    idName: 'channel_id',
    schema: channelContentSchema,
    write: 'alert.manage',
    list: async (actor) => {
      const channels = await alerts.listPolicies(actor, 'channel');
      return can(actor, 'alert.manage') ? channels : channels.map(withoutAddress);
    },
    create: (actor, content) => alerts.createPolicy(actor, 'channel', content),
    delete: (actor, id) => alerts.deletePolicy(actor, 'channel', id),
    deleteSummary: 'Delete a channel',
  };
  return [
    ...collectionRoutes(info),
    changeRoute(info, (actor, id, content) => alerts.updatePolicy(actor, 'channel', id, content)),
    route(
      {
        method: 'POST',
        path: '/api/v1/channels/:channel_id/test',
        access: 'alert.manage',
        body: noBody,
        summary: 'Send a test message through a channel, now and once',
        answers: { 200: 'Delivery; its error says why it did not arrive' },
      },
      async (call) => jsonAnswer(200, await alerts.testChannel(call.actor, call.params['channel_id'] ?? '')),
    ),
  ];
}

/** List, make, delete. */
function collectionRoutes<S extends Schema>(info: PolicyInfo<S>): Route[] {
  const { collection, what, type, idName } = info;
  return [
    route(
      {
        method: 'GET',
        path: `/api/v1/${collection}`,
        access: 'alert.read',
        body: noBody,
        summary: `List all ${collection === 'maintenance' ? 'maintenance windows' : collection}, the oldest first`,
        answers: { 200: `{${collection}: ${type}[]}` },
      },
      async (call) => jsonAnswer(200, { [collection]: await info.list(call.actor) }),
    ),
    route(
      {
        method: 'POST',
        path: `/api/v1/${collection}`,
        access: info.write,
        body: jsonBody(info.schema),
        summary: `Make ${what}`,
        answers: { 201: type },
      },
      async (call) => jsonAnswer(201, await info.create(call.actor, call.body)),
    ),
    route(
      {
        method: 'DELETE',
        path: `/api/v1/${collection}/:${idName}`,
        access: info.write,
        body: noBody,
        summary: info.deleteSummary,
        answers: { 204: 'Done' },
      },
      async (call) => {
        await info.delete(call.actor, call.params[idName] ?? '');
        return emptyAnswer();
      },
    ),
  ];
}

function changeRoute<S extends Schema>(info: PolicyInfo<S>, update: Update<S>): Route {
  const { collection, what, type, idName } = info;
  return route(
    {
      method: 'PUT',
      path: `/api/v1/${collection}/:${idName}`,
      access: info.write,
      body: jsonBody(info.schema),
      summary: `Change ${what}${info.changeHint ?? ''}`,
      answers: { 200: type },
    },
    async (call) => jsonAnswer(200, await update(call.actor, call.params[idName] ?? '', call.body)),
  );
}
