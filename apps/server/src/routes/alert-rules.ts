import type { AlertService } from '@nowcast/alerts';
import { previewRuleSchema, ruleContentSchema, saveRuleSchema, testRuleSchema } from '@nowcast/contract';
import { emptyAnswer, jsonAnswer, jsonBody, noBody, type Route, route } from '../http/route.ts';

const ruleBytes = 256 * 1024;

/** Rules: what is watched, and who hears of it. */
export function alertRuleRoutes(alerts: AlertService): Route[] {
  return [...collectionRoutes(alerts), ...itemRoutes(alerts)];
}

function collectionRoutes(alerts: AlertService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/rules',
        access: 'alert.read',
        body: noBody,
        summary: 'List alert rules by name, with the state of their groups',
        answers: { 200: '{rules: Rule[]}' },
      },
      async (call) => jsonAnswer(200, { rules: await alerts.listRules(call.actor) }),
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/rules',
        access: 'alert.write',
        body: jsonBody(ruleContentSchema, ruleBytes),
        summary: 'Make an alert rule; it is evaluated from now on',
        answers: { 201: 'Rule', 400: 'It cannot be evaluated; the message says what to change' },
      },
      async (call) => jsonAnswer(201, await alerts.createRule(call.actor, call.body)),
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/rules/preview',
        access: 'alert.read',
        body: jsonBody(previewRuleSchema, ruleBytes),
        summary: 'What a rule would have done over the past days, without saving it',
        answers: { 200: 'RulePreview' },
      },
      async (call) => jsonAnswer(200, await alerts.previewRule(call.actor, call.body, call.signal)),
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/rules/test',
        access: 'alert.manage',
        body: jsonBody(testRuleSchema, ruleBytes),
        summary: 'Send a test notification the way a rule’s alerts would go, without saving it',
        answers: { 200: 'RuleTest', 400: 'It could not be saved; the message says what to change' },
      },
      async (call) => jsonAnswer(200, await alerts.testDraft(call.actor, call.body)),
    ),
  ];
}

function itemRoutes(alerts: AlertService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/rules/:rule_id',
        access: 'alert.read',
        body: noBody,
        summary: 'Read an alert rule',
        answers: { 200: 'Rule' },
      },
      async (call) => jsonAnswer(200, await alerts.getRule(call.actor, call.params['rule_id'] ?? '')),
    ),
    route(
      {
        method: 'PUT',
        path: '/api/v1/rules/:rule_id',
        access: 'alert.write',
        body: jsonBody(saveRuleSchema, ruleBytes),
        summary: 'Save an alert rule; where its evaluation changed, its groups begin anew',
        answers: {
          200: 'Rule',
          409: 'Somebody saved meanwhile; details.version says which version is there',
        },
      },
      async (call) =>
        jsonAnswer(200, await alerts.saveRule(call.actor, call.params['rule_id'] ?? '', call.body)),
    ),
    route(
      {
        method: 'DELETE',
        path: '/api/v1/rules/:rule_id',
        access: 'alert.write',
        body: noBody,
        summary: 'Delete an alert rule; its alerts are over, and stay readable',
        answers: { 204: 'Deleted' },
      },
      async (call) => {
        await alerts.deleteRule(call.actor, call.params['rule_id'] ?? '');
        return emptyAnswer();
      },
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/rules/:rule_id/test',
        access: 'alert.manage',
        body: noBody,
        summary: 'Send a test notification the way the rule’s alerts go',
        answers: { 200: 'RuleTest' },
      },
      async (call) => jsonAnswer(200, await alerts.testRule(call.actor, call.params['rule_id'] ?? '')),
    ),
  ];
}
