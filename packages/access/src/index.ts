export { AccessService, type Authenticated } from './access-service.ts';
export { can, revokes } from './can.ts';
export type { LoginOrigin, LoginResult } from './logins.ts';
export type { IssuedSession, VerifiedSession } from './sessions.ts';
