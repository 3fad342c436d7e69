import { PageHead } from '../../ui/states.tsx';
import { useCrumb } from '../shell/crumb.ts';
import { mayAdminister, mayEdit, useMe } from '../shell/use-me.ts';
import { ConnectPanel } from './connect-panel.tsx';
import { KeyList } from './key-list.tsx';

/** `/sources`: how data come in. */
export function SourcesPage() {
  useCrumb('Sources');
  const user = useMe();
  return (
    <div className="mx-auto max-w-6xl pt-6">
      <PageHead title="Sources" text="Anything that can send an HTTP request can be on a board." />
      {mayAdminister(user) ? (
        <ConnectPanel />
      ) : (
        <p className="card p-4 text-muted">
          Keys are made by administrators: ask one for a key to connect a source of your own.
        </p>
      )}
      {mayEdit(user) && (
        <>
          <h2 className="mt-8 mb-3 text-base font-semibold">Keys</h2>
          <KeyList />
        </>
      )}
    </div>
  );
}
