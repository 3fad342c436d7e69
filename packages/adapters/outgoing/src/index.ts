export { GuardedHttp, type GuardedHttpOptions } from './guarded-http.ts';
export { readSmtpSettings } from './mail/smtp-settings.ts';
export { NetworkOutgoing, type NetworkOutgoingOptions } from './network-outgoing.ts';
export { createVapidKeys, pushSubject, type VapidKeys } from './push/vapid.ts';
