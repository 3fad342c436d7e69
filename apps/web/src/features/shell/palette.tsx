import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Activity, LayoutDashboard, Keyboard, LogOut, UserRound } from 'lucide-react';
import { useId, useState, type ReactNode } from 'react';
import { Dialog } from 'react-aria-components/Dialog';
import { Modal as AriaModal, ModalOverlay } from 'react-aria-components/Modal';
import { boardsQuery } from '../../api/queries.ts';
import { useMetricSearch } from '../edit/use-metric-search.ts';
import { logOut } from './account-menu.tsx';
import { placesOf } from './nav.ts';
import { useMe } from './use-me.ts';

interface Command {
  id: string;
  title: string;
  kind: string;
  icon: ReactNode;
  run: () => unknown;
}

function useCommands(search: string, onHelp: () => void): Command[] {
  const user = useMe();
  const navigate = useNavigate();
  const boards = useQuery(boardsQuery);
  const { metrics } = useMetricSearch(search);
  return [
    ...(boards.data ?? []).map((board) => ({
      id: board.board_id,
      title: board.title,
      kind: 'Board',
      icon: <LayoutDashboard size={15} aria-hidden />,
      run: () => navigate({ to: '/boards/$boardId', params: { boardId: board.board_id } }),
    })),
    ...placesOf(user).map(({ to, title, icon: Icon }) => ({
      id: to,
      title,
      kind: 'Go to',
      icon: <Icon size={15} aria-hidden />,
      run: () => navigate({ to }),
    })),
    {
      id: 'profile',
      title: 'Profile',
      kind: 'Go to',
      icon: <UserRound size={15} aria-hidden />,
      run: () => navigate({ to: '/profile' }),
    },
    {
      id: 'help',
      title: 'Keyboard shortcuts',
      kind: 'Help',
      icon: <Keyboard size={15} aria-hidden />,
      run: onHelp,
    },
    { id: 'logout', title: 'Log out', kind: 'Account', icon: <LogOut size={15} aria-hidden />, run: logOut },
    ...metrics.map((metric) => ({
      id: `metric ${metric.metric_type}`,
      title: metric.metric_type,
      kind: 'Explore',
      icon: <Activity size={15} aria-hidden />,
      run: () => navigate({ to: '/explore', search: { metric: metric.metric_type } }),
    })),
  ];
}

/** Cmd-K: boards, places, metrics and commands by name. */
export function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const id = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = useCommands(text, onHelp)
    .filter((command) =>
      words.every((word) => `${command.title} ${command.kind}`.toLowerCase().includes(word)),
    )
    .slice(0, 40);
  const at = Math.min(active, found.length - 1);
  const run = (command: Command | undefined): void => {
    if (command === undefined) return;
    onClose();
    command.run();
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      const next = (at + step + found.length) % found.length;
      setActive(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(found[at]);
    }
  };
  return (
    <ModalOverlay
      isOpen
      isDismissable
      onOpenChange={(open) => !open && onClose()}
      className="scrim items-start! pt-[10dvh]"
    >
      <AriaModal className="overlay w-full max-w-xl">
        <Dialog aria-label="Search" className="outline-none">
          <div className="border-b border-line p-3">
            <input
              type="search"
              role="combobox"
              className="field"
              aria-label="Search boards, metrics and commands"
              aria-expanded="true"
              aria-controls={`${id}-list`}
              aria-activedescendant={found.length > 0 ? `${id}-${at}` : undefined}
              aria-autocomplete="list"
              placeholder="Boards, metrics, commands…"
              autoComplete="off"
              spellCheck={false}
              autoFocus
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setActive(0);
              }}
              onKeyDown={onKeyDown}
            />
          </div>
          <ul
            id={`${id}-list`}
            role="listbox"
            aria-label="Results"
            className="max-h-[50dvh] overflow-y-auto p-2"
          >
            {found.map((command, i) => (
              <li
                key={command.id}
                id={`${id}-${i}`}
                role="option"
                aria-selected={i === at}
                className={`menu-item ${i === at ? 'bg-accent/15' : ''}`}
                onMouseMove={() => setActive(i)}
                onClick={() => run(command)}
              >
                <span className="text-muted">{command.icon}</span>
                <span className="min-w-0 grow truncate">{command.title}</span>
                <span className="text-xs text-muted">{command.kind}</span>
              </li>
            ))}
          </ul>
          {found.length === 0 && (
            <p className="p-6 text-center text-muted">{`Nothing is called “${text}”.`}</p>
          )}
        </Dialog>
      </AriaModal>
    </ModalOverlay>
  );
}
