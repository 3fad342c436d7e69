import { useId, useRef } from 'react';
import type { RuleContent } from '@nowcast/contract';
import { formatValue } from '../../units/format.ts';
import { fillTemplate, placeholdersOf } from './message-template.ts';

/** What a notification says, with the values it will hold a press away and an example of how it reads. */
export function MessageField({ rule, onRule }: { rule: RuleContent; onRule: (rule: RuleContent) => void }) {
  const id = useId();
  const input = useRef<HTMLTextAreaElement>(null);
  const insert = (placeholder: string): void => {
    const element = input.current;
    if (element === null) return;
    const { selectionStart: from, selectionEnd: to } = element;
    const message = `${rule.message.slice(0, from)}${placeholder}${rule.message.slice(to)}`;
    if (message.length > 2000) return;
    onRule({ ...rule, message });
    element.focus();
    requestAnimationFrame(() =>
      element.setSelectionRange(from + placeholder.length, from + placeholder.length),
    );
  };
  return (
    <div>
      <label htmlFor={id} className="label">
        Message
      </label>
      <textarea
        ref={input}
        id={id}
        rows={2}
        className="field"
        maxLength={2000}
        placeholder="A sentence made from the rule"
        aria-describedby={`${id}-example`}
        value={rule.message}
        onChange={(event) => onRule({ ...rule, message: event.target.value })}
      />
      <div className="mt-1 flex flex-wrap gap-1" role="group" aria-label="Put in a value">
        {placeholdersOf(rule).map((name) => (
          <button
            key={name}
            type="button"
            className="chip cursor-pointer font-mono hover:border-control"
            onClick={() => insert(`{{${name}}}`)}
          >
            {name}
          </button>
        ))}
      </div>
      <p id={`${id}-example`} className="mt-1.5 text-xs break-words text-muted">
        {rule.message === ''
          ? ''
          : `Reads like: ${fillTemplate(rule, (value) => formatValue(value, rule.unit))}`}
      </p>
    </div>
  );
}
