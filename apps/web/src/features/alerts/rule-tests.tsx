import { useMutation } from '@tanstack/react-query';
import { CircleCheck, CircleX, Clock3, Send } from 'lucide-react';
import type { ReactNode } from 'react';
import type { RuleContent, RuleTest, RuleTestDelivery, TestRuleInput } from '@nowcast/contract';
import { api, messageOf } from '../../api/http.ts';
import { Button } from '../../ui/button.tsx';

/** Sends a test of the rule as it stands in the form, saved or not, and says how each way went. */
export function RuleTests({
  rule,
  ruleId,
  isWhole,
}: {
  rule: RuleContent;
  ruleId: string | undefined;
  /** Nothing that saving needs is missing. */
  isWhole: boolean;
}) {
  const test = useMutation({
    mutationFn: (content: RuleContent) => {
      const body: TestRuleInput = {
        content: { ...content, name: content.name.trim() },
        ...(ruleId === undefined ? {} : { rule_id: ruleId }),
      };
      return api<RuleTest>('POST', '/api/v1/rules/test', body);
    },
  });
  const isOld = test.variables !== undefined && test.variables !== rule && !test.isPending;
  return (
    <div className="mt-4 flex flex-wrap items-start gap-x-4 gap-y-3 border-t border-line pt-4">
      <Button isDisabled={!isWhole || test.isPending} onPress={() => test.mutate(rule)}>
        <Send size={15} aria-hidden />
        {test.isPending ? 'Sending…' : 'Send a test'}
      </Button>
      <div role="status" className="min-w-0 flex-1 basis-64 text-sm">
        {test.isIdle && (
          <p className="py-1.5 text-muted">
            Tells everybody named first, and you, what an alert would say. Nothing needs to be saved.
          </p>
        )}
        {test.isError && <p className="py-1.5 break-words text-crit">{messageOf(test.error)}</p>}
        {test.data !== undefined && <Outcome test={test.data} />}
        {isOld && <p className="mt-2 text-xs text-muted">The rule has changed since.</p>}
      </div>
    </div>
  );
}

function Outcome({ test: { people, deliveries } }: { test: RuleTest }) {
  return (
    <ul aria-label="How the test went" className="flex flex-col gap-1.5 py-1.5">
      <Line icon={<CircleCheck size={16} className="text-ok" aria-hidden />}>
        {`Under the bell of ${people.join(', ')}`}
      </Line>
      {deliveries.map((delivery) => (
        <Line key={delivery.delivery_id} icon={iconOf(delivery)}>
          {deliveryInWords(delivery)}
        </Line>
      ))}
    </ul>
  );
}

function Line({ icon, children }: { icon: ReactNode; children: string }) {
  return (
    <li className="flex items-start gap-2">
      <span className="mt-0.5 shrink-0">{icon}</span>
      <span className="min-w-0 break-words">{children}</span>
    </li>
  );
}

function iconOf({ status }: RuleTestDelivery): ReactNode {
  if (status === 'sent') return <CircleCheck size={16} className="text-ok" aria-hidden />;
  if (status === 'waiting') return <Clock3 size={16} className="text-muted" aria-hidden />;
  return <CircleX size={16} className="text-crit" aria-hidden />;
}

const ways: Record<string, string> = { push: 'push', email: 'e-mail' };

/** `Ops: sent`; `Ada, e-mail: not sent, the mail server refused it`. */
function deliveryInWords({ via, person, status, error }: RuleTestDelivery): string {
  const to = person === null ? `“${via}”` : `${person}, ${ways[via] ?? via}`;
  if (status === 'sent') return `${to}: sent`;
  return status === 'waiting' ? `${to}: not yet, ${error}` : `${to}: not sent, ${error}`;
}
