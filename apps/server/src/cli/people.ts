import * as z from 'zod';
import { parseOptions, setupOptions, userOptions } from '@nowcast/config';
import { type Actor, createUserSchema, roleSchema, setupSchema, type User } from '@nowcast/contract';
import { AppError } from '@nowcast/kernel';
import { DashboardService } from '@nowcast/dashboards';
import { can } from '@nowcast/access';
import { systemClock } from '@nowcast/kernel';
import { validate } from '../http/schema.ts';
import { makeFirstBoards } from '../server.ts';
import { dataDirOf } from './data-dir.ts';
import { type LocalAccess, operatorOf, withLocalAccess } from './local-access.ts';
import type { CommandContext } from './output.ts';

const newPasswordSchema = z.strictObject({ password: createUserSchema.shape.password });

/** `nowcast setup`: the first run without a browser. */
export async function setup(context: CommandContext): Promise<number> {
  const options = parseOptions(setupOptions, context);
  const password = await readPassword(context, options.passwordStdin);
  const input = validate(
    setupSchema,
    {
      token: '',
      organisation: options.tenant,
      name: options.name ?? options.username,
      email: options.email,
      username: options.username,
      password,
    },
    'request.invalid',
  );
  const dataDir = dataDirOf(options.dataDir, context.environment);
  await withLocalAccess(
    dataDir,
    async ({ access, store }) => {
      const { user, tenantId, role } = await access.logins.setupLocally(input);
      const owner = {
        kind: 'user',
        tenant_id: tenantId,
        user_id: user.userId,
        role,
        session_id: '',
      } as const;
      await makeFirstBoards(new DashboardService({ store, clock: systemClock, can }), owner);
      context.print(`${options.tenant} is set up; sign in as ${user.username}\n`);
    },
    { create: true },
  );
  return 0;
}

export async function listUsers(context: CommandContext): Promise<number> {
  const options = parseOptions(userOptions, context);
  return withLocalAccess(dataDirOf(options.dataDir, context.environment), async ({ access, store }) => {
    for (const user of await access.members.list(await operatorOf(store, options.tenant))) {
      context.print(
        `${user.username}\t${user.email}\t${user.role}\t${user.disabled ? 'disabled' : 'enabled'}\n`,
      );
    }
    return 0;
  });
}

export async function createUser(context: CommandContext): Promise<number> {
  const options = parseOptions(userOptions, context);
  const password = await readPassword(context, options.passwordStdin);
  const input = validate(
    createUserSchema,
    {
      name: options.name ?? options.username,
      email: options.email,
      username: options.username,
      password,
      role: options.role,
    },
    'request.invalid',
  );
  return withLocalAccess(dataDirOf(options.dataDir, context.environment), async ({ access, store }) => {
    const user = await access.members.create(await operatorOf(store, options.tenant), input);
    context.print(`${user.username} (${user.role}) can sign in\n`);
    return 0;
  });
}

export function disableUser(context: CommandContext): Promise<number> {
  return changeUser(context, () => ({ disabled: true }));
}

export function enableUser(context: CommandContext): Promise<number> {
  return changeUser(context, () => ({ disabled: false }));
}

export function setUserRole(context: CommandContext): Promise<number> {
  return changeUser(context, (role) => ({ role: validate(roleSchema, role, 'request.invalid') }));
}

async function changeUser(
  context: CommandContext,
  changeOf: (role: string) => { disabled?: boolean; role?: User['role'] },
): Promise<number> {
  const { role } = parseOptions(userOptions, context);
  return withUser(context, async (user, { access }, operator) => {
    const changed = (await access.members.update(operator, user.user_id, changeOf(role))).user;
    return `${changed.username} is ${changed.disabled ? 'disabled' : changed.role}`;
  });
}

/** For who can no longer sign in: the page asks for the old one. */
export async function setUserPassword(context: CommandContext): Promise<number> {
  const typed = await readPassword(context, parseOptions(userOptions, context).passwordStdin);
  const { password } = validate(newPasswordSchema, { password: typed }, 'request.invalid');
  return withUser(context, async (user, { access }) => {
    await access.logins.setPassword(user.user_id, password);
    return `${user.username} has a new password and is signed out everywhere`;
  });
}

/** Prints what was done to the user that `--username` names, by username or e-mail address. */
async function withUser(
  context: CommandContext,
  work: (user: User, local: LocalAccess, operator: Actor) => Promise<string>,
): Promise<number> {
  const { username, dataDir, tenant } = parseOptions(userOptions, context);
  if (username === undefined) throw new AppError('request.invalid', '--username is missing; say whom');
  return withLocalAccess(dataDirOf(dataDir, context.environment), async (local) => {
    const operator = await operatorOf(local.store, tenant);
    const wanted = username.toLowerCase();
    const user = (await local.access.members.list(operator)).find(
      (candidate) => candidate.username.toLowerCase() === wanted || candidate.email.toLowerCase() === wanted,
    );
    if (user === undefined) throw new AppError('request.not_found', `there is no user ${username}`);
    context.print(`${await work(user, local, operator)}\n`);
    return 0;
  });
}

/** Never an argument: other users of the machine can read those. */
async function readPassword(context: CommandContext, fromInput: boolean): Promise<string> {
  if (!fromInput) {
    throw new AppError('request.invalid', 'give the password on standard input and say --password-stdin');
  }
  return (await context.readInput()).split(/\r?\n/)[0] ?? '';
}
