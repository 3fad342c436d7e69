import type { AccessService } from '@nowcast/access';
import { appError, changePasswordSchema, loginSchema, updateProfileSchema } from '@nowcast/contract';
import { readCredential } from '../http/credentials.ts';
import { errorBody, errorStatus, publicError } from '../http/errors.ts';
import { loginErrorText } from '../http/pages.ts';
import {
  type Answer,
  type Call,
  emptyAnswer,
  jsonAnswer,
  jsonBody,
  noBody,
  redirectAnswer,
  type Route,
  route,
  smallBodyBytes,
} from '../http/route.ts';
import { requireUser } from './actors.ts';
import { loginOrigin, signInHeaders, signOutHeaders } from './session-cookies.ts';

/** Signing in and out, and what people do with their own account. */
export function sessionRoutes(access: AccessService): Route[] {
  return [login(access), logout(access), ...profileRoutes(access), ...deviceRoutes(access)];
}

function login(access: AccessService): Route {
  return route(
    {
      method: 'POST',
      path: '/login',
      access: 'public',
      body: { kind: 'json', schema: loginSchema, capBytes: smallBodyBytes, form: true },
      summary: 'Sign in with e-mail address or username and password',
      answers: {
        200: 'LoginAnswer and the session cookie',
        303: 'A form was posted',
        401: 'Wrong',
        429: 'Slow down',
      },
      formError: loginFormError,
    },
    async (call) => {
      const result = await access.logins.login(call.body, loginOrigin(call));
      const headers = signInHeaders(call.client, result);
      if (call.form === undefined) return jsonAnswer(200, result.answer, headers);
      return redirectAnswer(nextOf(call) ?? '/', headers);
    },
  );
}

/** Back to the sign-in page, which says why. */
function loginFormError(code: string, sent: Pick<Call, 'form' | 'query'>): Answer {
  const parameters = new URLSearchParams({ error: loginErrorText(code) });
  const next = nextOf(sent);
  if (next !== null) parameters.set('next', next);
  return redirectAnswer(`/login?${parameters.toString()}`);
}

/** Where somebody was going who had to sign in first. */
function nextOf({ form, query }: Pick<Call, 'form' | 'query'>): string | null {
  return form?.get('next') ?? query.get('next');
}

function logout(access: AccessService): Route {
  return route(
    {
      method: 'POST',
      path: '/logout',
      access: 'public',
      body: { kind: 'bytes', capBytes: smallBodyBytes },
      summary: 'End this session',
      answers: { 204: 'Signed out', 303: 'A form was posted' },
    },
    async (call) => {
      const credential = readCredential(call.headers, call.client.secure);
      const headers = signOutHeaders(call.client);
      try {
        if (credential !== undefined) await access.sessions.endByToken(credential);
      } catch (thrown) {
        // This browser at least has the session no more.
        const error = publicError(thrown);
        return jsonAnswer(errorStatus(error), errorBody(error), headers);
      }
      const isForm = call.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
      return isForm ? redirectAnswer('/login', headers) : emptyAnswer(headers);
    },
  );
}

function profileRoutes(access: AccessService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/me',
        access: 'profile.manage',
        body: noBody,
        summary: 'Who is signed in',
        answers: { 200: 'User' },
      },
      async (call) => {
        const credential = readCredential(call.headers, call.client.secure);
        const verified = await access.sessions.verify(credential ?? '');
        if (verified === undefined) throw appError('auth.required', 'sign in');
        return jsonAnswer(200, verified.user);
      },
    ),
    route(
      {
        method: 'PATCH',
        path: '/api/v1/me',
        access: 'profile.manage',
        body: jsonBody(updateProfileSchema),
        summary: 'Change name, e-mail address or preferences',
        answers: { 200: 'User', 409: 'The address is taken' },
      },
      async (call) => jsonAnswer(200, await access.members.updateProfile(requireUser(call.actor), call.body)),
    ),
    route(
      {
        method: 'POST',
        path: '/api/v1/me/password',
        access: 'profile.manage',
        body: jsonBody(changePasswordSchema),
        summary: 'Change the password; other sessions end',
        answers: { 204: 'Changed', 401: 'The current password is wrong' },
      },
      async (call) => {
        await access.logins.changePassword(requireUser(call.actor), call.body);
        return emptyAnswer();
      },
    ),
  ];
}

function deviceRoutes(access: AccessService): Route[] {
  return [
    route(
      {
        method: 'GET',
        path: '/api/v1/me/sessions',
        access: 'profile.manage',
        body: noBody,
        summary: 'Where this person is signed in',
        answers: { 200: '{sessions: SessionInfo[]}' },
      },
      async (call) => jsonAnswer(200, { sessions: await access.sessions.list(requireUser(call.actor)) }),
    ),
    route(
      {
        method: 'DELETE',
        path: '/api/v1/me/sessions/:session_id',
        access: 'profile.manage',
        body: noBody,
        summary: 'Sign one device out',
        answers: { 204: 'Signed out' },
      },
      async (call) => {
        await access.sessions.end(requireUser(call.actor), call.params['session_id'] ?? '');
        return emptyAnswer();
      },
    ),
  ];
}
