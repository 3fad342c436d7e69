import { keyOptions, parseOptions } from '@nowcast/config';
import { createKeySchema } from '@nowcast/contract';
import { AppError } from '@nowcast/kernel';
import { validate } from '../http/schema.ts';
import { dataDirOf } from './data-dir.ts';
import { operatorOf, withLocalAccess } from './local-access.ts';
import type { CommandContext } from './output.ts';

/** Prints nothing but the key, so that a script can keep it. */
export async function createKey(context: CommandContext): Promise<number> {
  const options = parseOptions(keyOptions, context);
  if (options.name === undefined)
    throw new AppError('request.invalid', '--name is missing; say what the key is for');
  const input = validate(
    createKeySchema,
    { name: options.name, scopes: [...options.scopes] },
    'request.invalid',
  );
  return withLocalAccess(dataDirOf(options.dataDir, context.environment), async ({ access, store }) => {
    const key = await access.keys.create(await operatorOf(store, options.tenant), input);
    context.print(`${key.secret ?? ''}\n`);
    context.note('This is the only time the key is shown.\n');
    return 0;
  });
}

export async function listKeys(context: CommandContext): Promise<number> {
  const options = parseOptions(keyOptions, context);
  return withLocalAccess(dataDirOf(options.dataDir, context.environment), async ({ access, store }) => {
    for (const key of await access.keys.list(await operatorOf(store, options.tenant))) {
      const used =
        key.last_used_at === null ? 'never used' : `last used ${new Date(key.last_used_at).toISOString()}`;
      const by = key.created_by === '' ? '' : `\tby ${key.created_by_name || 'somebody who was removed'}`;
      context.print(`${key.key_id}\t${key.name}\t${key.scopes.join(',')}\t${used}${by}\n`);
    }
    return 0;
  });
}

export async function deleteKey(context: CommandContext): Promise<number> {
  const options = parseOptions(keyOptions, context);
  const { id } = options;
  if (id === undefined)
    throw new AppError('request.invalid', '--id is missing; "nowcast key list" shows the ids');
  return withLocalAccess(dataDirOf(options.dataDir, context.environment), async ({ access, store }) => {
    await access.keys.delete(await operatorOf(store, options.tenant), id);
    context.print(`${id} is deleted; a running server refuses it within a second\n`);
    return 0;
  });
}
