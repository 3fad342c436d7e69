import { useNavigate } from '@tanstack/react-router';
import { Keyboard, LogOut, Monitor, Moon, Sun, UserRound } from 'lucide-react';
import { ApiError, api, messageOf } from '../../api/http.ts';
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

/** What is pushed to whoever leaves is not for those who come after them. Nobody waits long for it. */
async function silence(): Promise<void> {
  const silenced = import('../alerts/push.ts').then((push) => push.silenceThisDevice());
  const late = new Promise((resolve) => setTimeout(resolve, 3000));
  await Promise.race([silenced, late]).catch(() => undefined);
}

export function useLogOut(): () => void {
  return () => {
    const leave = (): void => location.assign('/login');
    const end = silence().then(() => api<void>('POST', '/logout'));
    end.then(leave, (error: unknown) => {
      // Without a session there is nothing to end; otherwise it goes on, for whoever comes to this screen next.
      if (error instanceof ApiError && error.status === 401) leave();
      else showToast('error', `Not logged out: ${messageOf(error)}`);
    });
  };
}

export function AccountMenu({ onHelp }: { onHelp: () => void }) {
  const user = useMe();
  const navigate = useNavigate();
  const logOut = useLogOut();
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
    { id: 'logout', title: 'Log out', apart: true, icon: <LogOut size={15} aria-hidden />, run: logOut },
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
