import { appError, type Preferences, preferencesSchema } from '@nowcast/contract';

export function defaultPreferences(): Preferences {
  return preferencesSchema.parse({});
}

/** What the schema cannot know: whether the zone and the locale exist. Throws `request.invalid`. */
export function checkPreferences({ time_zone: timeZone, locale }: Preferences): void {
  if (timeZone !== 'browser' && !works(() => new Intl.DateTimeFormat('en', { timeZone })))
    throw appError('request.invalid', `"${timeZone}" is not a time zone; write for example Europe/Berlin`);
  if (locale !== 'browser' && !works(() => Intl.getCanonicalLocales(locale)))
    throw appError('request.invalid', `"${locale}" is not a language tag; write for example de or en-GB`);
}

function works(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
