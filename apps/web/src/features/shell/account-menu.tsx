import { useNavigate } from '@tanstack/react-router';
import { Keyboard, LogOut, Monitor, Moon, Sun, UserRound } from 'lucide-react';
import { api, messageOf } from '../../api/http.ts';
import type { ThemeChoice } from '../../theme/theme.ts';
import { Button } from '../../ui/button.tsx';
import type { MenuEntry } from '../../ui/menu-entry.ts';
import { Menu } from '../../ui/menu.tsx';
import { showToast } from '../../ui/toast.tsx';
import { useMe, useSavePreferences } from './use-me.ts';

export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? '') + (words.length > 1 ? (words.at(-1)?.[0] ?? '') : '')).toUpperCase();
}

const themes: { id: ThemeChoice; title: string; icon: typeof Sun }[] = [
  { id: 'system', title: 'System theme', icon: Monitor },
  { id: 'dark', title: 'Dark', icon: Moon },
  { id: 'light', title: 'Light', icon: Sun },
];

/** Nobody waits long for it, nor for what failed. */
async function quietly(work: Promise<void>): Promise<void> {
  const late = new Promise<void>((resolve) => setTimeout(resolve, 3000));
  await Promise.race([work, late]).catch(() => undefined);
}

const importPush = () => import('../alerts/push.ts');

/** What is pushed to whoever leaves is not for those who come after them; whoever stays goes on being told. */
export async function logOut(): Promise<void> {
  await quietly(importPush().then((push) => push.forgetThisDevice()));
  try {
    await api<void>('POST', '/logout');
  } catch (error) {
    // A server that could not end the session has had the browser forget it all the same.
    const me = await fetch('/api/v1/me').catch(() => null);
    if (me?.status !== 401) return showToast('error', `Not logged out: ${messageOf(error)}`);
  }
  await quietly(importPush().then((push) => push.unsubscribe()));
  location.assign('/login');
}

export function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const user = useMe();
  const navigate = useNavigate();
  const save = useSavePreferences();
  const entries: MenuEntry[] = [
    {
      id: 'profile',
      title: 'Profile',
      icon: <UserRound size={15} aria-hidden />,
      run: () => void navigate({ to: '/profile' }),
    },
    ...themes.map(({ id, title, icon: Icon }, i): MenuEntry => ({
      id,
      title,
      icon: <Icon size={15} aria-hidden />,
      apart: i === 0,
      run: () => save.mutate({ theme: id }),
      ...(user.preferences.theme === id ? { hint: '✓' } : {}),
    })),
    {
      id: 'help',
      title: 'Keyboard shortcuts',
      hint: '?',
      apart: true,
      icon: <Keyboard size={15} aria-hidden />,
      run: onHelp,
    },
    {
      id: 'logout',
      title: 'Log out',
      apart: true,
      icon: <LogOut size={15} aria-hidden />,
      run: () => void logOut(),
    },
  ];
  return (
    <Menu
      label="Account"
      entries={entries}
      trigger={(props) => (
        <Button
          {...props}
          variant="ghost"
          icon
          aria-label={`Account of ${user.name}`}
          className="keep-small rounded-full!"
        >
          <span className="grid size-7 place-items-center rounded-full bg-accent/20 text-xs font-semibold text-text">
            {initialsOf(user.name)}
          </span>
        </Button>
      )}
    />
  );
}
