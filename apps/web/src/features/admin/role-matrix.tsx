import { Check, Minus } from 'lucide-react';
import { roles, type Role } from '@nowcast/contract';

/** What each role may do, in words. */
const rights: { text: string; from: Role }[] = [
  { text: 'See shared boards and their data', from: 'viewer' },
  { text: 'Make boards, connect sources', from: 'editor' },
  { text: 'Manage users and keys, change everybody’s boards', from: 'admin' },
  { text: 'Own the organisation, appoint owners', from: 'owner' },
];

export function RoleMatrix() {
  return (
    <details className="mt-4">
      <summary className="cursor-pointer text-sm text-muted">What the roles may do</summary>
      <div
        className="card relative mt-3 overflow-x-auto"
        tabIndex={0}
        role="group"
        aria-label="Rights of the roles"
      >
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Right</th>
              {roles.map((role) => (
                <th key={role} scope="col" className="text-center!">
                  {role}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rights.map((right) => (
              <tr key={right.text}>
                <td>{right.text}</td>
                {roles.map((role) => {
                  const may = roles.indexOf(role) >= roles.indexOf(right.from);
                  const Icon = may ? Check : Minus;
                  return (
                    <td key={role} className="text-center">
                      <Icon
                        size={15}
                        className={`inline ${may ? 'text-ok' : 'text-nodata'}`}
                        aria-label={may ? 'yes' : 'no'}
                      />
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
