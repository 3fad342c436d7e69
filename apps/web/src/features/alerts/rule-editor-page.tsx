import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { Trash2 } from 'lucide-react';
import { useRef, useState } from 'react';
import type { Rule, RuleContent } from '@nowcast/contract';
import { api, ApiError, messageOf } from '../../api/http.ts';
import { Button } from '../../ui/button.tsx';
import { clearOfBottom } from '../../ui/clear-of.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { Check, TextInput } from '../../ui/field.tsx';
import { LeaveQuestion } from '../../ui/leave-question.tsx';
import { singleFlight } from '../../ui/single-flight.ts';
import { Failure, Skeleton } from '../../ui/states.tsx';
import { showToast } from '../../ui/toast.tsx';
import { useIsHere } from '../../ui/use-is-here.ts';
import { mayAdminister, mayEdit, useMe } from '../shell/use-me.ts';
import { ruleQuery } from './alert-queries.ts';
import { AlertsFrame } from './alerts-frame.tsx';
import { handedOver } from './draft-handover.ts';
import { RuleDetails } from './rule-details.tsx';
import { contentOf, emptyRule, missingIn, watchedBy, watching } from './rule-draft.ts';
import { RuleNotify } from './rule-notify.tsx';
import { RulePreviewCard } from './rule-preview.tsx';
import { RuleSentence } from './rule-sentence.tsx';
import { RuleTests } from './rule-tests.tsx';
import { useRuleDraft } from './use-rule-draft.ts';

const watchedChoices = [
  { value: 'metric', title: 'A metric' },
  { value: 'ratio', title: 'A ratio of two' },
  { value: 'rules', title: 'Other rules' },
] as const;

/** `/alerts/rules/new` */
export function NewRulePage() {
  const [draft] = useState(() => handedOver() ?? emptyRule());
  const me = useMe();
  if (!mayEdit(me)) {
    const error = new ApiError(403, 'auth.forbidden', 'Rules are written by editors; ask an administrator.');
    return <Failure headingLevel="h1" error={error} onRetry={() => undefined} />;
  }
  return <RuleEditor start={draft} />;
}

/** `/alerts/rules/$ruleId` */
export function RulePage() {
  const { ruleId } = useParams({ from: '/app/alerts/rules/$ruleId' });
  const rule = useQuery({ ...ruleQuery(ruleId), refetchOnWindowFocus: false, staleTime: 0 });
  // A draft outlives what happens to its rule meanwhile: that is said when it is saved.
  if (rule.isError && rule.data === undefined)
    return <Failure headingLevel="h1" error={rule.error} onRetry={() => void rule.refetch()} />;
  if (rule.data === undefined) return <Skeleton className="mx-auto mt-6 h-96 max-w-6xl" />;
  return <RuleEditor key={ruleId} start={contentOf(rule.data)} stored={rule.data} />;
}

/** Saves over the version `base`; `stored` undefined: as a new rule. `onSaved` hears which draft it was. */
function useSaveRule(
  stored: Rule | undefined,
  base: number | undefined,
  onSaved: (rule: Rule, draft: RuleContent) => void,
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (draft: RuleContent) => {
      const content = { ...draft, name: draft.name.trim() };
      return stored === undefined
        ? api<Rule>('POST', '/api/v1/rules', content)
        : api<Rule>('PUT', `/api/v1/rules/${encodeURIComponent(stored.rule_id)}`, {
            content,
            base_version: base,
          });
    },
    onSuccess: async (rule, draft) => {
      client.setQueryData(ruleQuery(rule.rule_id).queryKey, rule);
      await client.invalidateQueries({ queryKey: ['rules'], exact: true });
      showToast('ok', stored === undefined ? 'Rule made. It is evaluated from now on.' : 'Rule saved.');
      onSaved(rule, draft);
    },
    onError: (error) => {
      const isConflict = error instanceof ApiError && error.status === 409 && stored !== undefined;
      showToast(
        'error',
        messageOf(error),
        isConflict ? { title: 'Load the newer one', run: () => location.reload() } : undefined,
      );
    },
  });
}

/** A rule as a sentence over the past it would have judged. */
function RuleEditor({ start, stored: known }: { start: RuleContent; stored?: Rule }) {
  const navigate = useNavigate();
  // A new rule that was made while its draft went on.
  const [made, setMade] = useState<Rule>();
  const stored = known ?? made;
  const { rule, setRule, isDirty, base, rebase } = useRuleDraft(start, stored);
  const latest = useRef(rule);
  latest.current = rule;
  const [once] = useState(singleFlight);
  const editable = stored?.editable ?? true;
  const isDone = useRef(false);
  const isHere = useIsHere();
  const leave = async (): Promise<void> => {
    if (!isHere()) return;
    isDone.current = true;
    await navigate({ to: '/alerts/rules' });
  };
  const save = useSaveRule(stored, base, (saved, draft) => {
    if (latest.current === draft) void leave();
    else {
      rebase(draft, saved.version);
      setMade(saved);
    }
  });
  const canSave = stored === undefined || isDirty;
  const missing = missingIn(rule);
  const watched = watchedBy(rule.evaluation);
  const manages = mayAdminister(useMe());
  const isWhole = missing === null && rule.name.trim() !== '';
  return (
    <AlertsFrame
      title={stored === undefined ? 'New rule' : stored.name}
      actions={stored !== undefined && <StoredActions rule={stored} onDeleted={leave} />}
    >
      {stored?.problem != null && (
        <p role="alert" className="card mb-4 border-crit/50 p-3 text-sm text-crit">
          {stored.problem}
        </p>
      )}
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void once(() => save.mutateAsync(rule).catch(() => undefined));
        }}
      >
        <fieldset disabled={!editable} className="contents">
          <legend className="sr-only">Rule</legend>
          <section className="card p-4" aria-label="Condition">
            <div className="mb-3 flex flex-wrap gap-2" role="group" aria-label="Watches">
              {watchedChoices.map(({ value, title }) => (
                <Button
                  key={value}
                  size="small"
                  aria-pressed={value === watched}
                  onPress={() => value !== watched && setRule(watching(rule, value))}
                >
                  {title}
                </Button>
              ))}
            </div>
            <RuleSentence rule={rule} onRule={setRule} ruleId={stored?.rule_id} />
          </section>
        </fieldset>
        {watched !== 'rules' ? (
          <RulePreviewCard rule={rule} onRule={editable ? setRule : null} />
        ) : (
          missing !== null && <p className="card p-6 text-center text-muted">{missing}</p>
        )}
        <fieldset disabled={!editable} className="contents">
          <legend className="sr-only">Whom it tells, and its name</legend>
          <section className="card p-4" aria-label="Who is told">
            <RuleNotify rule={rule} onRule={setRule} />
            {manages && <RuleTests rule={rule} ruleId={stored?.rule_id} isWhole={isWhole} />}
          </section>
          <RuleDetails rule={rule} onRule={setRule} />
          <div
            ref={clearOfBottom}
            className="bottom-0 z-20 -mx-4 flex flex-wrap items-end gap-3 border-t border-line bg-bg/95 px-4 py-3 backdrop-blur-sm sm:sticky"
          >
            <TextInput
              label="Name"
              className="min-w-40 flex-1 sm:max-w-md"
              required
              maxLength={120}
              autoComplete="off"
              value={rule.name}
              onValue={(name) => setRule({ ...rule, name })}
            />
            <div className="flex h-[var(--control-h)] items-center">
              <Check
                label="On"
                checked={rule.enabled}
                onChecked={(enabled) => setRule({ ...rule, enabled })}
              />
            </div>
            {editable && (
              <Button type="submit" variant="primary" isDisabled={!isWhole || !canSave || save.isPending}>
                {stored === undefined ? 'Create rule' : 'Save'}
              </Button>
            )}
          </div>
        </fieldset>
      </form>
      <LeaveQuestion
        unsaved={isDirty}
        isDone={isDone}
        text="Your changes to this rule have not been saved."
      />
    </AlertsFrame>
  );
}

function StoredActions({ rule, onDeleted }: { rule: Rule; onDeleted: () => Promise<void> }) {
  const client = useQueryClient();
  const [deleting, setDeleting] = useState(false);
  const remove = useMutation({
    mutationFn: () => api<void>('DELETE', `/api/v1/rules/${encodeURIComponent(rule.rule_id)}`),
    onSuccess: async () => {
      await onDeleted();
      client.removeQueries({ queryKey: ruleQuery(rule.rule_id).queryKey });
      await client.invalidateQueries({ queryKey: ['rules'], exact: true });
      showToast('ok', 'Rule deleted. Its alerts are closed.');
    },
    onError: (error) => showToast('error', messageOf(error)),
  });
  return (
    <>
      {rule.editable && (
        <Button variant="danger" onPress={() => setDeleting(true)}>
          <Trash2 size={15} aria-hidden />
          Delete
        </Button>
      )}
      {deleting && (
        <Confirm
          title={`Delete “${rule.name}”?`}
          text="It is not evaluated any more, and its alerts are closed. What it did stays in the history."
          action="Delete rule"
          onClose={() => setDeleting(false)}
          onConfirm={() => {
            setDeleting(false);
            remove.mutate();
          }}
        />
      )}
    </>
  );
}
