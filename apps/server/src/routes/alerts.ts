import type { AlertService } from '@nowcast/alerts';
import { acknowledgeSchema, snoozeSchema } from '@nowcast/contract';
import { jsonAnswer, jsonBody, noBody, type Route, route } from '../http/route.ts';
import { alertInboxRoutes } from './alert-inbox.ts';
import {
  alertsParameters,
  readAlertFilter,
  readTransitionFilter,
  transitionsParameters,
} from './alert-parameters.ts';
import { alertPolicyRoutes } from './alert-policies.ts';
import { alertRuleRoutes } from './alert-rules.ts';

/** Rules, their alerts, and who is told how. What may be seen and done is the alerts domain's decision. */
export function alertRoutes(alerts: AlertService): Route[] {
  return [
    ...listRoutes(alerts),
    ...actRoutes(alerts),
    ...alertRuleRoutes(alerts),
    ...alertPolicyRoutes(alerts),
    ...alertInboxRoutes(alerts),
  ];
}

function listRoutes(alerts: AlertService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/alerts',
        access: 'alert.read',
        body: noBody,
        summary: 'List alerts, the newest first',
        parameters: alertsParameters,
        answers: { 200: '{alerts: Alert[], cursor?}; the cursor is there when there are more' },
      },
      async (call) =>
        jsonAnswer(200, await alerts.listAlerts(call.actor, readAlertFilter(call.query, Date.now()))),
    ),
    route(
      {
        method: 'GET',
        path: '/api/v1/alerts/transitions',
        access: 'alert.read',
        body: noBody,
        summary: 'What alerts did in a range of time: the newest 2000, the oldest of them first',
        parameters: transitionsParameters,
        answers: { 200: '{transitions: (Transition & {rule_name, severity})[]}' },
      },
      async (call) => {
        const filter = readTransitionFilter(call.query, Date.now());
        return jsonAnswer(200, { transitions: await alerts.transitions(call.actor, filter) });
      },
    ),
    route(
      {
        method: 'GET',
        path: '/api/v1/alerts/:alert_id',
        access: 'alert.read',
        body: noBody,
        summary: 'Read an alert with what happened to it',
        answers: { 200: '{alert: Alert, events: AlertEvent[], rule: Rule | null}' },
      },
      async (call) => jsonAnswer(200, await alerts.getAlert(call.actor, call.params['alert_id'] ?? '')),
    ),
    route(
      {
        method: 'GET',
        path: '/api/v1/alerts/:alert_id/series',
        access: 'alert.read',
        body: noBody,
        summary: 'An alert’s value around the moment it fired, as its rule computes it',
        answers: { 200: 'AlertSeries' },
      },
      async (call) =>
        jsonAnswer(200, await alerts.alertSeries(call.actor, call.params['alert_id'] ?? '', call.signal)),
    ),
  ];
}

function actRoutes(alerts: AlertService): Route[] {
  return [
    route(
      {
        method: 'POST',
        path: '/api/v1/alerts/:alert_id/acknowledge',
        access: 'alert.act',
        body: jsonBody(acknowledgeSchema),
        summary: 'Take an alert: it is not repeated and does not escalate any more',
        answers: { 200: 'Alert', 409: 'It is over' },
      },
      async (call) =>
        jsonAnswer(200, await alerts.acknowledge(call.actor, call.params['alert_id'] ?? '', call.body)),
    ),
    route(
      {
        method: 'DELETE',
        path: '/api/v1/alerts/:alert_id/acknowledge',
        access: 'alert.act',
        body: noBody,
        summary: 'Give an alert back',
        answers: { 200: 'Alert' },
      },
      async (call) => jsonAnswer(200, await alerts.unacknowledge(call.actor, call.params['alert_id'] ?? '')),
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/alerts/:alert_id/snooze',
        access: 'alert.act',
        body: jsonBody(snoozeSchema),
        summary: 'Keep an alert quiet until a time; if it still fires then, people are told again',
        answers: { 200: 'Alert' },
      },
      async (call) =>
        jsonAnswer(200, await alerts.snooze(call.actor, call.params['alert_id'] ?? '', call.body)),
    ),
  ];
}
