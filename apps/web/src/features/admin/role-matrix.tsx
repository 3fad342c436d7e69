import { Check, Minus } from 'lucide-react';
import { roles, type Role } from '@nowcast/contract';

/** What each role may do, in words. */
const rights: { text: string; from: Role }[] = [
  { text: 'See shared boards, explore the data', from: 'viewer' },
  { text: 'Make boards, share their own', from: 'editor' },
  { text: 'Send data; see which sources send', from: 'editor' },
  { text: 'Change and delete what others share', from: 'admin' },
  { text: 'Connect sources: make and delete keys', from: 'admin' },
  { text: 'Add users, give roles, disable and delete', from: 'admin' },
  { text: 'See the server’s own figures', from: 'admin' },
  { text: 'Own the organisation, appoint owners', from: 'owner' },
];

export function RoleMatrix() {
  return (
    <section className="mt-8" aria-labelledby="roles-title">
      <h2 id="roles-title" className="mb-3 text-base font-semibold">
        What the roles may do
      </h2>
      <div
        className="card relative overflow-x-auto"
        tabIndex={0}
        role="group"
        aria-label="Rights of the roles"
      >
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Right</th>
              {roles.map((role) => (
                <th key={role} scope="col" className="text-center! max-sm:px-1! max-sm:last:pe-3!">
                  {role}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rights.map((right) => (
              <tr key={right.text}>
                <td className="min-w-28 sm:min-w-56">{right.text}</td>
                {roles.map((role) => {
                  const may = roles.indexOf(role) >= roles.indexOf(right.from);
                  const Icon = may ? Check : Minus;
                  return (
                    <td key={role} className="text-center max-sm:px-1! max-sm:last:pe-3!">
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
    </section>
  );
}
