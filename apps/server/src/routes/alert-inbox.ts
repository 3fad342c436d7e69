import type { AlertService } from '@nowcast/alerts';
import { notificationPreferencesSchema, pushSubscriptionSchema } from '@nowcast/contract';
import * as z from 'zod/mini';
import { emptyAnswer, jsonAnswer, jsonBody, noBody, type Route, route } from '../http/route.ts';
import { requireUser } from './actors.ts';
import { notificationsParameters, readInboxFilter } from './alert-parameters.ts';

const readSchema = z.strictObject({
  notification_ids: z.union([
    z.array(z.string().check(z.minLength(1), z.maxLength(64))).check(z.maxLength(500)),
    z.literal('all'),
  ]),
});

/** The inbox of a person, and how they want to be told. */
export function alertInboxRoutes(alerts: AlertService): Route[] {
  return [...inboxRoutes(alerts), ...preferenceRoutes(alerts), ...deviceRoutes(alerts)];
}

function inboxRoutes(alerts: AlertService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/notifications',
        access: 'profile.manage',
        body: noBody,
        summary: 'List own notifications, the newest first, with how their deliveries went',
        parameters: notificationsParameters,
        answers: { 200: '{notifications: Notification[], unread: number, cursor?}' },
      },
      async (call) =>
        jsonAnswer(200, await alerts.notifications(requireUser(call.actor), readInboxFilter(call.query))),
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/notifications/read',
        access: 'profile.manage',
        body: jsonBody(readSchema),
        summary: 'Mark own notifications as read, some or all',
        answers: { 200: '{unread: number}' },
      },
      async (call) =>
        jsonAnswer(200, await alerts.markRead(requireUser(call.actor), call.body.notification_ids)),
    ),
  ];
}

function preferenceRoutes(alerts: AlertService): Route[] {
  const path = '/api/v1/me/notification-preferences';
  return [
    route(
      {
        method: 'GET',
        path,
        access: 'profile.manage',
        body: noBody,
        summary: 'How one is told, by severity',
        answers: { 200: 'NotificationPreferences' },
      },
      async (call) => jsonAnswer(200, await alerts.preferences(requireUser(call.actor))),
    ),
    route(
      {
        method: 'PUT',
        path,
        access: 'profile.manage',
        body: jsonBody(notificationPreferencesSchema),
        summary: 'Choose how one is told',
        answers: { 200: 'NotificationPreferences' },
      },
      async (call) => {
        const actor = requireUser(call.actor);
        await alerts.setPreferences(actor, call.body);
        return jsonAnswer(200, await alerts.preferences(actor));
      },
    ),
    route(
      {
        method: 'GET',
        path: '/api/v1/notify-info',
        access: 'alert.read',
        body: noBody,
        summary: 'What can be sent from here, and the key that browsers subscribe to push messages with',
        answers: { 200: 'NotifyInfo' },
      },
      () => jsonAnswer(200, alerts.info()),
    ),
  ];
}

function deviceRoutes(alerts: AlertService): Route[] {
  const path = '/api/v1/me/push-devices';
  return [
    route(
      {
        method: 'GET',
        path,
        access: 'profile.manage',
        body: noBody,
        summary: 'List own devices that get push messages',
        answers: { 200: '{devices: PushDevice[]}' },
      },
      async (call) => jsonAnswer(200, { devices: await alerts.devices(requireUser(call.actor)) }),
    ),
    route(
      {
        method: 'POST',
        path,
        access: 'profile.manage',
        body: jsonBody(pushSubscriptionSchema),
        summary: 'Send push messages to this browser too; the same subscription again is the same device',
        answers: { 201: 'PushDevice' },
      },
      async (call) => jsonAnswer(201, await alerts.addDevice(requireUser(call.actor), call.body)),
    ),
    route(
      {
        method: 'POST',
        path: `${path}/:device_id/test`,
        access: 'profile.manage',
        body: noBody,
        summary: 'Send a test message to a device, now and once',
        answers: { 200: 'Delivery; its error says why it did not arrive' },
      },
      async (call) =>
        jsonAnswer(200, await alerts.testDevice(requireUser(call.actor), call.params['device_id'] ?? '')),
    ),
    route(
      {
        method: 'DELETE',
        path: `${path}/:device_id`,
        access: 'profile.manage',
        body: noBody,
        summary: 'Send no more push messages to a device',
        answers: { 204: 'Deleted' },
      },
      async (call) => {
        await alerts.deleteDevice(requireUser(call.actor), call.params['device_id'] ?? '');
        return emptyAnswer();
      },
    ),
  ];
}
