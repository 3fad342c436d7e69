import { useBlocker } from '@tanstack/react-router';
import type { RefObject } from 'react';
import { Confirm } from './confirm.tsx';
import { useLeaveWarning } from './use-leave-warning.ts';

interface LeaveQuestionProps {
  /** Whether there is work to lose. */
  unsaved: boolean;
  /** Set by what leaves on purpose, saving for example. */
  isDone: Readonly<RefObject<boolean>>;
  /** What has not been saved, as a sentence. */
  text: string;
  /** Whether the work is still in hand under other parameters of the same address; without it: always. */
  isHere?: (search: object) => boolean;
}

/** Asks before work that is not saved is left, within the page and by reloading or closing it. */
export function LeaveQuestion({ unsaved, isDone, text, isHere = () => true }: LeaveQuestionProps) {
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) =>
      unsaved && !isDone.current && (next.pathname !== current.pathname || !isHere(next.search)),
    withResolver: true,
    enableBeforeUnload: false,
  });
  useLeaveWarning(unsaved);
  if (blocker.status !== 'blocked') return null;
  return (
    <Confirm
      title="Leave without saving?"
      text={text}
      action="Leave"
      onClose={blocker.reset}
      onConfirm={blocker.proceed}
    />
  );
}
